import { hasFriction } from '../optimizers/racer.ts'
import { frictionEdges } from './friction-edges.ts'
import type { News, Order } from './message.ts'
import { batchOf, draw, edge, shuffled } from './pictures.ts'
import { runtimeOf } from './runtime.ts'
import { batchSize, trainersOf } from './trainers.ts'

const [trained, judged, shown] = [1600, 200, 40]

/** So many steps lie between two judgements. */
const pause = 20

const tell = (news: News): void => postMessage(news)

/** Trains all racers on the same batches, in turns. */
async function train(order: Order): Promise<void> {
  tell({ kind: 'doing', text: 'drawing pictures' })
  const pictures = draw(trained, order.seed)
  const unseen = draw(judged, order.seed + 1_000_000)
  const sample = batchBytes(pictures.pixels, shown)
  tell({ kind: 'pictures', pixels: sample, labels: pictures.labels.slice(0, shown) })
  tell({ kind: 'doing', text: 'fetching ONNX Runtime' })
  const runtime = await runtimeOf(order.engine)
  tell({ kind: 'doing', text: 'building the networks' })
  const trainers = await trainersOf(runtime, order)
  const exam = batchOf(unseen, [...unseen.labels.keys()])
  const batches = shuffled(trained, batchSize, order.seed)
  const judge = async (step: number): Promise<void> => {
    for (const [racer, trainer] of trainers.entries()) {
      const { metrics } = await trainer.evaluate({ ...exam })
      tell({ kind: 'judged', racer, step, accuracy: metrics.accuracy })
    }
  }
  tell({ kind: 'doing', text: 'training' })
  for (let step = 1; step <= order.steps; step++) {
    const batch = batchOf(pictures, batches.next().value ?? [])
    for (const [racer, trainer] of trainers.entries()) {
      const who = order.racers[racer]
      const edges = hasFriction(who) ? { histograms: { xi: frictionEdges(who) } } : {}
      const before = performance.now()
      const { loss, histograms } = await trainer.step({ ...batch }, edges)
      const milliseconds = performance.now() - before
      tell({ kind: 'step', racer, step, loss, milliseconds, friction: histograms?.xi })
    }
    if (step % pause === 0 || step === order.steps) await judge(step)
  }
  tell({ kind: 'done' })
}

/** The bytes of the first pictures. */
const batchBytes = (pixels: Uint8Array<ArrayBuffer>, count: number): Uint8Array<ArrayBuffer> =>
  pixels.slice(0, count * edge * edge * 3)

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  train(data).catch((error) => {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : `${error}` })
  })
})
