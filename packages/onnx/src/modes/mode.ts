import type { Placement } from '../graph/from-model.ts'
import type { Value } from '../graph/value.ts'

/** How operators behave that train and evaluate in different ways. */
export interface Mode {
  readonly placements: readonly Placement[]
  /** What running statistics become, filled in while the model is placed. */
  readonly statistics: ReadonlyMap<Value, Value>
}
