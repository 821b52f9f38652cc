import type { Workload } from '../workloads.ts'

/** Takes one step. */
export type Step = () => unknown

/** Makes an optimizer ready to step on a workload. */
export type Prepare = (workload: Workload) => Promise<Step>
