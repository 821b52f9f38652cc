/** Progress of downloading, unpacking, reading or decoding. */
export interface DataProgress {
  /** Such as `unpacking imagewoof2-160.tgz`. */
  readonly task: string
  readonly done: number
  /** Undefined while an archive is unpacked. */
  readonly total: number | undefined
  readonly unit: 'bytes' | 'images'
}

/** Options of every function that prepares data. */
export interface ProgressOptions {
  readonly onProgress?: ((progress: DataProgress) => void) | undefined
  /** Cancels the work. Partial output is removed, except that of a download. */
  readonly signal?: AbortSignal | undefined
}
