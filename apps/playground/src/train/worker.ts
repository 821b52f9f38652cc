import { shuffledBatches } from '../batches.ts'
import { frictionEdges, hasFriction } from '../optimizers/friction.ts'
import { loadRuntime } from '../runtime.ts'
import { batchSize, createTrainers } from './network.ts'
import { drawPictures, edge, toBatch } from './pictures.ts'
import type { TrainingEvent, TrainingRequest } from './worker-client.ts'

/** The number of pictures to train on, to evaluate on, and to show. */
const [trainingCount, evaluationCount, sampleCount] = [1600, 200, 40]

/** The number of steps between two evaluations. */
const evaluationInterval = 20

const emit = (event: TrainingEvent): void => postMessage(event)

/** Trains both networks alternately, on the same batches. */
async function train(request: TrainingRequest): Promise<void> {
  emit({ kind: 'phase', text: 'drawing pictures' })
  const pictures = drawPictures(trainingCount, request.seed)
  const unseen = drawPictures(evaluationCount, request.seed + 1_000_000)
  emit({ kind: 'samples', pixels: pictures.pixels.slice(0, sampleCount * edge * edge * 3) })
  emit({ kind: 'phase', text: 'fetching ONNX Runtime' })
  const runtime = await loadRuntime(request.provider)
  emit({ kind: 'phase', text: 'building the networks' })
  const trainers = await createTrainers(runtime, request)
  const evaluationBatch = toBatch(unseen, [...unseen.labels.keys()])
  const batches = shuffledBatches(trainingCount, batchSize, request.seed)
  emit({ kind: 'phase', text: 'training' })
  for (let step = 1; step <= request.steps; step++) {
    const batch = toBatch(pictures, batches.next().value)
    for (const [optimizer, trainer] of trainers.entries()) {
      const config = request.optimizers[optimizer]
      const inspect = hasFriction(config) ? { histograms: { xi: frictionEdges(config) } } : {}
      const start = performance.now()
      const { loss, histograms } = await trainer.step({ ...batch }, inspect)
      const milliseconds = performance.now() - start
      emit({ kind: 'step', optimizer, step, loss, milliseconds, friction: histograms?.xi })
    }
    if (step % evaluationInterval !== 0 && step !== request.steps) continue
    for (const [optimizer, trainer] of trainers.entries()) {
      const { metrics } = await trainer.evaluate({ ...evaluationBatch })
      emit({ kind: 'evaluation', optimizer, step, accuracy: metrics.accuracy })
    }
  }
  emit({ kind: 'done' })
}

addEventListener('message', ({ data }: MessageEvent<TrainingRequest>) => {
  train(data).catch((error) => {
    emit({ kind: 'failed', message: error instanceof Error ? error.message : `${error}` })
  })
})
