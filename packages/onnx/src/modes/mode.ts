import type { Value } from '../ir/value.ts'
import type { Placement } from '../ops/from-model.ts'

/** How operators behave that train and evaluate in different ways. */
export interface Mode {
  readonly placements: readonly Placement[]
  /** What running statistics become, filled in while the model is placed. */
  readonly statistics: ReadonlyMap<Value, Value>
}
