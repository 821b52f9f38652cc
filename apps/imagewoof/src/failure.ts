/** What the user can mend: its message is all that is printed. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** What anything thrown has to say. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
