import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A server for a test, and its address. */
export async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // It listens on a port, not on a pipe.
  return `http://127.0.0.1:${port}/`
}

/** A server of one file that breaks off its first answer, and what ranges it was asked for. */
export async function serveFile(
  file: Uint8Array,
  { ranges = true, breaksAfter }: { readonly ranges?: boolean; readonly breaksAfter?: number } = {},
): Promise<{ readonly address: string; readonly asked: (string | undefined)[] }> {
  const asked: (string | undefined)[] = []
  const address = await serve(({ headers }, response) => {
    asked.push(headers.range)
    const begin = ranges ? Number(headers.range?.match(/bytes=(\d+)-/)?.[1] ?? 0) : 0
    if (begin >= file.length) return response.writeHead(416).end()
    response.writeHead(begin > 0 ? 206 : 200, {
      'content-length': file.length - begin,
      ...(begin > 0 && {
        'content-range': `bytes ${begin}-${file.length - 1}/${file.length}`,
      }),
    })
    if (breaksAfter === undefined || asked.length > 1) return response.end(file.subarray(begin))
    return response.write(file.subarray(begin, breaksAfter), () =>
      setTimeout(() => response.destroy(), 20),
    )
  })
  return { address, asked }
}
