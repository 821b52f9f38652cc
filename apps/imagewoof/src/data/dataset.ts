/** Pictures of one split, decoded: shared memory, so that the loader's workers read it in place. */
export interface Split {
  /** Edge of the stored squares, in pixels. */
  readonly size: number
  /** RGB bytes · pictures × size × size × 3. */
  readonly pixels: Uint8Array<SharedArrayBuffer>
  /** The class of each picture, an index into `classes`. */
  readonly labels: Uint16Array<SharedArrayBuffer>
  /** Width over height of each picture before it became a square. */
  readonly aspects: readonly number[]
  /** Where each picture came from, relative to the data set. */
  readonly files: readonly string[]
}

/** A data set as `prepare` leaves it. */
export interface Dataset {
  readonly name: string
  /** SHA-256 over paths, classes and bytes of all pictures: what results are recorded against. */
  readonly hash: string
  /** Of how squares are made of pictures: another one makes others of the same pictures. */
  readonly version: number
  /**
   * Edge of the pictures that a network sees, in pixels. Validation pictures are stored like this;
   * training pictures are larger, so that a crop of them still has something to show.
   */
  readonly size: number
  readonly classes: readonly string[]
  readonly train: Split
  readonly validation: Split
}
