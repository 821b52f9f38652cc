/** What the user can mend: its message is all that is printed. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** A training that cannot go on, such as for a loss that is not finite. */
export class StepFailure extends Failure {}

/** What anything thrown has to say. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
