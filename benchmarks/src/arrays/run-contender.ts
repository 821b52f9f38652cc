import { createInterface } from 'node:readline'
import type { Prepare } from './contenders/contender.ts'
import { workloads } from './workloads.ts'

// One contender in a process of its own. Prints "ready"; then for each line, a number of steps, the
// milliseconds that one of them took.
const [module, name, workload] = process.argv.slice(2)
const { contenders }: { contenders: Readonly<Record<string, Prepare>> } = await import(
  `./contenders/${module}.ts`
)
const found = workloads.find((candidate) => candidate.name === workload)
if (!found) throw new RangeError(`there is no workload ${workload}`)
const step = await contenders[name](found)
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const steps = Number(line)
  const start = performance.now()
  for (let k = 0; k < steps; k++) await step()
  console.log((performance.now() - start) / steps)
}
