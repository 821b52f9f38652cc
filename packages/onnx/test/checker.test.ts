import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diffGrad, stepKernels } from '@diffgrad/core'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import type { Model } from '../src/model/model.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { buildModel } from '../src/nn/layer.ts'
import { crossEntropy, meanSquaredError } from '../src/nn/losses.ts'
import { xResNet18 } from '../src/nn/xresnet.ts'
import { trainStepModel } from '../src/train-step-model.ts'
import { fixture } from './model-file.ts'

const forward = buildModel(xResNet18(10), { shape: ['batch', 3, 64, 64], seed: 1 })
const options = { loss: crossEntropy(), dimensions: { batch: 16 } }
/** A Python with the package `onnx`: `$PYTHON`, the one on the path, or Debian's. */
const python = [process.env.PYTHON ?? 'python3', '/usr/bin/python3'].find((path) => {
  const { status } = spawnSync(path, ['-c', 'import onnx.checker'])
  return status === 0
})

test('the gradient model of XResNet-18 consists of standard operators', () => {
  const { model } = gradientModel(forward, options)
  expect(model.nodes.every(({ domain }) => domain === '')).toBe(true)
})

test.runIf(python)(
  'onnx.checker accepts every kind of model',
  () => {
    const { update } = stepKernels(diffGrad, { ...diffGrad.defaults, weightDecay: 0.1 }, 1)
    const read = (name: string): Model => readModel(fixture(`${name}.onnx`), fixture)
    const sequence = { batch_size: 3, sequence_length: 7 }
    const models: readonly Model[] = [
      forward,
      gradientModel(forward, options).model,
      gradientModel(forward, { ...options, mode: 'evaluate' }).model,
      gradientModel(forward, { ...options, lowering: { operators: 'plain' } }).model,
      trainStepModel(forward, { ...options, update }).model,
      read('bert'),
      gradientModel(read('bert'), { ...options, dimensions: sequence }).model,
      gradientModel(read('mobile'), options).model,
      gradientModel(read('unet'), { ...options, loss: meanSquaredError() }).model,
    ]
    const folder = mkdtempSync(join(tmpdir(), 'diffgrad-'))
    try {
      const paths = models.map((model, i) => {
        const path = join(folder, `${i}.onnx`)
        writeFileSync(path, writeModel(model))
        return path
      })
      const script = fileURLToPath(new URL('check-models.py', import.meta.url))
      const output = execFileSync(python ?? '', [script, ...paths], { encoding: 'utf8' })
      expect(output).toContain(`${models.length} models are valid`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
  60_000,
)
