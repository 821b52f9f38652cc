import { type FileHandle, open, readdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { event, type Summary, version } from './events.ts'

/** An event file of TensorBoard, which grows. */
export class EventFile {
  readonly #file: FileHandle
  #length: number

  /**
   * Opens the event file of a folder, or begins one.
   *
   * @param length - how many bytes of it hold; what was written after a checkpoint is taken back.
   */
  static async open(folder: string, length: number): Promise<EventFile> {
    const names = (await readdir(folder)).filter((name) => name.startsWith('events.out.tfevents.'))
    const seconds = Date.now() / 1000
    const fresh = `events.out.tfevents.${Math.floor(seconds)}.${hostname()}`
    const path = join(folder, names[0] ?? fresh)
    const file = await open(path, names.length > 0 ? 'r+' : 'w')
    await file.truncate(length)
    const opened = new EventFile(file, length)
    if (length === 0) await opened.#append(version(seconds))
    return opened
  }

  private constructor(file: FileHandle, length: number) {
    this.#file = file
    this.#length = length
  }

  /** How many bytes it has. */
  get length(): number {
    return this.#length
  }

  add(summary: Summary): Promise<void> {
    return this.#append(event(summary, Date.now() / 1000))
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, this.#length)
    this.#length += bytes.length
  }
}
