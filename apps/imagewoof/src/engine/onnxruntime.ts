import { crossEntropy } from '@diffgrad/onnx'
import { type Metric, NotFiniteError, Trainer } from '@diffgrad/onnxruntime'
import * as ort from 'onnxruntime-node'
import { Divergence } from '../failure.ts'
import type { Engine, Recipe } from './engine.ts'
import { agreement } from './largest.ts'

/** Computes on ONNX Runtime. */
export async function onnxruntimeEngine(recipe: Recipe): Promise<Engine> {
  const { model, frozen, optimizer, batch, size, threads } = recipe
  const [{ name: input, shape = [] }] = model.inputs
  const [{ name: output }] = model.outputs
  const open = [batch, 3, size, size]
  const dimensions = shape.flatMap((length, axis) =>
    typeof length === 'string' ? [[length, open[axis]] as const] : [],
  )
  const trainer = await Trainer.create(ort, model, {
    loss: crossEntropy({ targets: 'probabilities', target: 'targets', output }),
    optimizer,
    frozen,
    dimensions: Object.fromEntries(dimensions),
    metrics: { accuracy: accuracyOf(output) },
    session: { intraOpNumThreads: threads },
  })
  const average = { average: Boolean(optimizer.ema) }
  const shaped = (data: Float32Array) => ({
    data,
    dims: [data.length / (3 * size * size), 3, size, size],
  })
  return {
    async step({ images, targets }, edges) {
      const given = { [input]: shaped(images), targets }
      const choice = edges ? { histograms: { xi: edges } } : {}
      const { loss, metrics, histograms } = await trainer.step(given, choice).catch(failed)
      return { loss, accuracy: metrics.accuracy, ...(histograms && { friction: histograms.xi }) }
    },
    async predict(images) {
      const { data } = (await trainer.predict({ [input]: shaped(images) }, average))[output]
      if (data instanceof Float32Array) return data
      throw new TypeError(`${output} must be float32`)
    },
    report: (loss) => trainer.report(loss),
    save: (notes) => trainer.save(notes),
    load: (checkpoint) => trainer.load(checkpoint),
    export: () => trainer.export(average),
    dispose: () => trainer.dispose(),
  }
}

/** Tells a loss that is not finite, which would come again, from a passing fault of the machine. */
function failed(cause: unknown): never {
  throw cause instanceof NotFiniteError ? new Divergence(cause.message, { cause }) : cause
}

/** The share of rows of which the largest logit and the largest target have the same place. */
const accuracyOf = (output: string): Metric => ({
  outputs: [output],
  compute(outputs, { targets }) {
    const { data, dims } = outputs[output]
    if (!(data instanceof Float32Array) || !(targets instanceof Float32Array))
      throw new TypeError(`${output} and targets must be float32`)
    return agreement(data, targets, dims[0])
  },
})
