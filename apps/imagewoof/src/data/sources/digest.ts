import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** The checksum of a file, in hexadecimal. */
export async function digestOf(
  path: string,
  algorithm: 'md5' | 'sha256',
  signal?: AbortSignal,
): Promise<string> {
  const hash: Hash = createHash(algorithm)
  for await (const bytes of createReadStream(path, { signal })) hash.update(bytes)
  return hash.digest('hex')
}
