import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/**
 * The checksum of a file, in hexadecimal.
 *
 * @throws the signal's reason if it aborts.
 */
export async function digestOf(
  path: string,
  algorithm: 'md5' | 'sha256',
  signal?: AbortSignal,
): Promise<string> {
  const hash: Hash = createHash(algorithm)
  for await (const bytes of createReadStream(path)) {
    signal?.throwIfAborted()
    hash.update(bytes)
  }
  return hash.digest('hex')
}
