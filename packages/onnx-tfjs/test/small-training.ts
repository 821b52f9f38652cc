import { diffGrad, noDecayOnBiasAndNorm } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  globalAveragePool,
  linear,
  relu,
  seeded,
  sequential,
} from '@diffgrad/onnx'
import { ClassifierTrainer } from '@diffgrad/onnx-tfjs'

const [batch, size, classes] = [4, 8, 3]

/** Takes six steps with a small network on the current backend, each of which yields its loss. */
export async function* train(): AsyncGenerator<number> {
  const blocks = [4, 8].map((channels) => sequential(conv(channels), batchNorm(), relu))
  const model = buildModel(sequential(...blocks, globalAveragePool, linear(classes)), {
    shape: ['batch', 3, size, size],
    seed: 1,
  })
  const optimizer = { rule: diffGrad, learningRate: 1e-2, groups: [noDecayOnBiasAndNorm] }
  const trainer = new ClassifierTrainer(model, { optimizer })
  const random = seeded(2)
  for (let step = 0; step < 6; step++) {
    const inputs = Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal())
    const targets = new Float32Array(batch * classes)
    for (let n = 0; n < batch; n++) targets[n * classes + ((n + step) % classes)] = 1
    yield (await trainer.step({ inputs, shape: [batch, 3, size, size], targets })).loss
  }
  trainer.dispose()
}
