/** How far a piece of work is. */
export interface Progress {
  /** Such as `unpacking imagewoof2-160.tgz`. */
  readonly task: string
  readonly done: number
  /** Unknown while an archive is unpacked. */
  readonly total: number | undefined
  readonly unit: 'bytes' | 'pictures'
}

/** What a lengthy piece of work is told. */
export interface Attendance {
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Ends it; what was half-written is removed. */
  readonly signal?: AbortSignal | undefined
}
