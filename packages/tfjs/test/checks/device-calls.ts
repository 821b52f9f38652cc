import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { classes } from '../conformance-adapter.ts'
import { type Check, gradientsOf, lines, network } from './fixtures.ts'

/** Counts the calls of a method during `action`. */
function countCalls(target: object, method: string, action: () => void): number {
  const original: unknown = Reflect.get(target, method)
  if (typeof original !== 'function') throw new TypeError(`there is no ${method}`)
  let count = 0
  Reflect.set(target, method, function (this: unknown, ...args: readonly unknown[]) {
    count++
    return Reflect.apply(original, this, args)
  })
  try {
    action()
  } finally {
    Reflect.set(target, method, original)
  }
  return count
}

/** Calls `inspect` with the third step of each rule on the gradients of a network. */
async function thirdSteps(
  inspect: (step: () => void, gradients: tf.NamedTensorMap) => void | Promise<void>,
): Promise<void> {
  const [model, batch] = [network(), lines()]
  const { loss, gradients } = gradientsOf(model, batch)
  await loss.data() // Submits the pending commands.
  for (const [rule, Rule] of Object.entries(classes)) {
    if (rule === 'Ranger') continue // It adds operations to its rule: centralization, Lookahead.
    const optimizer = new Rule()
    if (optimizer.rule.sums && tf.getBackend().startsWith('webg')) continue // Sums are operations.
    const step = (): void => void optimizer.applyGradients(gradients)
    step()
    step()
    await inspect(step, gradients)
    optimizer.dispose()
  }
  model.dispose()
  tf.dispose([batch, loss, gradients])
}

const backendMember = (name: string): object => {
  const member: unknown = Reflect.get(tf.backend(), name)
  if (typeof member !== 'object' || member === null)
    throw new TypeError(`the backend has no ${name}`)
  return member
}

/** The number of device calls of one step. */
export const deviceCallChecks: readonly Check[] = [
  {
    name: 'a step runs no operation of TensorFlow.js',
    backends: ['cpu', 'wasm', 'webgl', 'webgpu'],
    async run() {
      await thirdSteps((step) => {
        expect(countCalls(tf.engine(), 'runKernelFunc', step)).toBe(0)
      })
    },
  },
  {
    name: 'a step draws at most four times a variable, and uploads nothing',
    backends: ['webgl'],
    async run() {
      await thirdSteps((step, gradients) => {
        let uploads = 0
        const draws = countCalls(tf.backend(), 'runWebGLProgram', () => {
          uploads = countCalls(backendMember('gpgpu'), 'uploadDenseMatrixToTexture', step)
        })
        expect(uploads).toBe(0)
        expect(draws).toBeLessThanOrEqual(4 * Object.keys(gradients).length)
      })
    },
  },
  {
    name: 'a step dispatches once a variable, and uploads one uniform, before which it submits an earlier step',
    backends: ['webgpu'],
    async run() {
      await thirdSteps(async (step, gradients) => {
        const queue = backendMember('queue')
        expect(countCalls(queue, 'submit', step)).toBe(1)
        const [name] = Object.keys(gradients)
        await tf.engine().registeredVariables[name].data() // Submits the pending commands.
        let [submits, uniforms, buffers] = [0, 0, 0]
        const dispatches = countCalls(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => {
          submits = countCalls(queue, 'submit', () => {
            uniforms = countCalls(queue, 'writeBuffer', () => {
              buffers = countCalls(GPUBuffer.prototype, 'getMappedRange', step)
            })
          })
        })
        expect({ dispatches, submits, uniforms, buffers }).toEqual({
          dispatches: Object.keys(gradients).length,
          submits: 0,
          uniforms: 1,
          buffers: 0,
        })
      })
    },
  },
]
