import type { Histogram } from '@diffgrad/arrays'
import type { Racer } from '../optimizers/racer.ts'
import type { Engine } from './train-state.ts'

/** What the worker is told: everything, once. To stop it, end it. */
export interface Order {
  readonly engine: Engine
  readonly racers: readonly Racer[]
  readonly steps: number
  readonly seed: number
}

/** What the worker tells. */
export type News =
  | { readonly kind: 'doing'; readonly text: string }
  | {
      readonly kind: 'pictures'
      readonly pixels: Uint8Array<ArrayBuffer>
      readonly labels: Uint8Array
    }
  | {
      readonly kind: 'step'
      readonly racer: number
      readonly step: number
      readonly loss: number
      readonly milliseconds: number
      /** Absent where the rule has no friction. */
      readonly friction: Histogram | undefined
    }
  | {
      readonly kind: 'judged'
      readonly racer: number
      readonly step: number
      readonly accuracy: number
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }
