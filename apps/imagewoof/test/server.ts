import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Starts a server that is closed after the test, and returns its address. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // It listens on a port, not on a pipe.
  return `http://127.0.0.1:${port}/`
}

/** Serves the first bytes of ImageWoof's archive, and then stalls. */
export const serveStalledArchive = (): Promise<string> =>
  serve((_, response) => {
    response.writeHead(200, { 'content-length': 92_612_825 })
    response.write(new Uint8Array(100_000))
  })

interface FileServer {
  readonly address: string
  /** The Range header of each request. */
  readonly ranges: (string | undefined)[]
  /** Closes the connection of the first response. */
  disconnect(): void
}

/**
 * Serves a file.
 *
 * @param supportsRanges - whether Range headers are honoured.
 * @param stallAfter - bytes after which the first response stalls, until `disconnect` is called.
 */
export async function serveFile(
  file: Uint8Array,
  {
    supportsRanges = true,
    stallAfter,
  }: { readonly supportsRanges?: boolean; readonly stallAfter?: number } = {},
): Promise<FileServer> {
  const ranges: (string | undefined)[] = []
  let disconnect = (): void => {}
  const address = await serve(({ headers }, response) => {
    ranges.push(headers.range)
    const begin = supportsRanges ? Number(headers.range?.match(/bytes=(\d+)-/)?.[1] ?? 0) : 0
    if (begin >= file.length) return response.writeHead(416).end()
    response.writeHead(begin > 0 ? 206 : 200, {
      'content-length': file.length - begin,
      ...(begin > 0 && {
        'content-range': `bytes ${begin}-${file.length - 1}/${file.length}`,
      }),
    })
    if (stallAfter === undefined || ranges.length > 1) return response.end(file.subarray(begin))
    disconnect = () => response.destroy()
    return response.write(file.subarray(begin, stallAfter))
  })
  return { address, ranges, disconnect: () => disconnect() }
}
