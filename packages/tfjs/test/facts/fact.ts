/** Something that holds for optimizers of TensorFlow.js. */
export interface Fact {
  readonly name: string
  /** The backends that it is about; all, if there are none. */
  readonly on?: readonly string[]
  check(): Promise<void>
}
