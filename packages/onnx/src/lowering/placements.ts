import type { Placement } from '../ops/from-model.ts'
import { foldBatch } from './fold-batch.ts'
import { plainMaxPool } from './plain-max-pool.ts'
import { plainPow } from './plain-pow.ts'
import { plainSlice } from './plain-slice.ts'

/** The other forms that a model's operators are placed in, as the graph's lowering says. */
export const placements: readonly Placement[] = [foldBatch, plainMaxPool, plainPow, plainSlice]
