import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where what is fetched, unpacked and decoded is kept, unless told otherwise. */
export const cacheFolder = (): string =>
  process.env.IMAGEWOOF_CACHE ?? join(homedir(), '.cache', 'imagewoof')
