import { createInterface } from 'node:readline'

/**
 * Speaks with the benchmark: prints "ready"; then for each line, a number of steps, the milliseconds
 * that one of them took; for "memory", the most that was resident, in bytes.
 */
export async function serve(step: () => Promise<unknown>): Promise<void> {
  console.log('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'memory') {
      console.log(1024 * process.resourceUsage().maxRSS)
      continue
    }
    const start = performance.now()
    for (let k = 0; k < Number(line); k++) await step()
    console.log((performance.now() - start) / Number(line))
  }
}
