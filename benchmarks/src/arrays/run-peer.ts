import { serveTimings, timeSteps } from '../child-process.ts'
import { type PrepareOptimizer, workloads } from './workloads.ts'

// Child process: one optimizer on one workload. Only its own library is loaded.
const [module, name, workloadName] = process.argv.slice(2)
const { optimizers }: { optimizers: Readonly<Record<string, PrepareOptimizer>> } = await import(
  `./peer-${module}.ts`
)
const workload = workloads.find((candidate) => candidate.name === workloadName)
if (!workload) throw new RangeError(`there is no workload ${workloadName}`)
const step = await optimizers[name](workload)
await serveTimings((steps) => timeSteps(step, steps))
