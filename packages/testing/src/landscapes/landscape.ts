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
  /** The other global minima, where there are several. */
  readonly others?: readonly (readonly number[])[]
  /** By how much a noisy gradient is off at step t, from 1; the same at every call. */
  noise?(t: number): readonly number[]
}

/** All global minima of a landscape. */
export const minimaOf = ({ minimum, others = [] }: Landscape): readonly (readonly number[])[] => [
  minimum,
  ...others,
]
