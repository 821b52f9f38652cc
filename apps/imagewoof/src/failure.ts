/** What the user can mend: its message is all that is printed. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** A loss that is not finite: the training has diverged, and would again. */
export class Divergence extends Failure {}

/** What anything thrown has to say. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
