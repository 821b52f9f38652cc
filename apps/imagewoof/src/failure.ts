/** An error that the user can fix: only its message is printed, without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** A training or validation loss that is not finite. Repeating the run gives the same result. */
export class Divergence extends Failure {}

/** The message of anything thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
