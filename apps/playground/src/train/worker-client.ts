import type { Histogram } from '@diffgrad/arrays'
import type { TrainState } from '../state.ts'

/** The message to the worker: what to train. It is sent once; terminating the worker cancels. */
export type TrainingRequest = Omit<TrainState, 'tab'>

/** The messages from the worker. `optimizer` is an index into the request's `optimizers`. */
export type TrainingEvent =
  | { readonly kind: 'phase'; readonly text: string }
  | {
      readonly kind: 'samples'
      /** RGB bytes of some training pictures · pictures × edge × edge × 3. */
      readonly pixels: Uint8Array<ArrayBuffer>
    }
  | {
      readonly kind: 'step'
      readonly optimizer: number
      readonly step: number
      readonly loss: number
      readonly milliseconds: number
      /** Undefined if the rule has no friction. */
      readonly friction: Histogram | undefined
    }
  | {
      readonly kind: 'evaluation'
      readonly optimizer: number
      readonly step: number
      /** In [0, 1], on unseen pictures. */
      readonly accuracy: number
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }

/** A training in a worker. */
export interface Training {
  cancel(): void
}

/** Starts a worker, which loads all that training needs. */
export function startTraining(
  request: TrainingRequest,
  onEvent: (event: TrainingEvent) => void,
): Training {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  worker.addEventListener('message', ({ data }: MessageEvent<TrainingEvent>) => onEvent(data))
  worker.addEventListener('error', ({ message }) => {
    onEvent({ kind: 'failed', message: message || 'the worker could not be started' })
  })
  worker.postMessage(request)
  return { cancel: () => worker.terminate() }
}
