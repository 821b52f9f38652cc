/** A function to descend, with its gradient. */
export interface Landscape {
  readonly name: string
  /** The equation, for people. */
  readonly equation: string
  value(point: readonly number[]): number
  /** Where the function has a kink, the slope on the left. */
  gradient(point: readonly number[]): readonly number[]
  /** A global minimum. */
  readonly minimum: readonly number[]
}
