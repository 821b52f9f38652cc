/** Something that holds for optimizers of TensorFlow.js on every backend. */
export interface Fact {
  readonly name: string
  check(): Promise<void>
}

export const facts: readonly Fact[] = []
