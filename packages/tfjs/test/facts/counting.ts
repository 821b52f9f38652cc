import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { classes } from '../subject.ts'
import type { Fact } from './fact.ts'
import { gradientsOf, lines, network } from './network.ts'

/** Counts the calls of a method while something happens. */
function calls(of: object, method: string, happens: () => void): number {
  const real: unknown = Reflect.get(of, method)
  if (typeof real !== 'function') throw new TypeError(`there is no ${method}`)
  let count = 0
  Reflect.set(of, method, function (this: unknown, ...given: readonly unknown[]) {
    count++
    return Reflect.apply(real, this, given)
  })
  try {
    happens()
  } finally {
    Reflect.set(of, method, real)
  }
  return count
}

/** Steps on the gradients of a network, each rule's third one being looked at. */
async function thirdSteps(look: (step: () => void, variables: number) => void): Promise<void> {
  const [model, batch] = [network(), lines()]
  const { loss, gradients } = gradientsOf(model, batch)
  await loss.data() // Whatever waits to be submitted is.
  for (const [rule, Rule] of Object.entries(classes)) {
    if (rule === 'Ranger') continue // It does more than its rule: centralization, Lookahead.
    const optimizer = new Rule()
    const step = (): void => void optimizer.applyGradients(gradients)
    step()
    step()
    look(step, Object.keys(gradients).length)
    optimizer.dispose()
  }
  model.dispose()
  tf.dispose([batch, loss, gradients])
}

const backendPart = (name: string): object => {
  const part: unknown = Reflect.get(tf.backend(), name)
  if (typeof part !== 'object' || part === null) throw new TypeError(`the backend has no ${name}`)
  return part
}

/** How little a step asks of a backend. */
export const counting: readonly Fact[] = [
  {
    name: 'a step runs no operation of TensorFlow.js',
    on: ['cpu', 'wasm', 'webgl', 'webgpu'],
    async check() {
      await thirdSteps((step) => {
        expect(calls(tf.engine(), 'runKernelFunc', step)).toBe(0)
      })
    },
  },
  {
    name: 'a step draws at most four times a variable, and uploads nothing',
    on: ['webgl'],
    async check() {
      await thirdSteps((step, variables) => {
        let uploads = 0
        const draws = calls(tf.backend(), 'runWebGLProgram', () => {
          uploads = calls(backendPart('gpgpu'), 'uploadDenseMatrixToTexture', step)
        })
        expect(uploads).toBe(0)
        expect(draws).toBeLessThanOrEqual(4 * variables)
      })
    },
  },
  {
    name: 'a step dispatches once a variable, submits once, and uploads one uniform',
    on: ['webgpu'],
    async check() {
      await thirdSteps((step, variables) => {
        let [submits, uniforms, buffers] = [0, 0, 0]
        const queue = backendPart('queue')
        const dispatches = calls(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => {
          submits = calls(queue, 'submit', () => {
            uniforms = calls(queue, 'writeBuffer', () => {
              buffers = calls(GPUBuffer.prototype, 'getMappedRange', step)
            })
          })
        })
        expect({ dispatches, submits, uniforms, buffers }).toEqual({
          dispatches: variables,
          submits: 1,
          uniforms: 1,
          buffers: 0,
        })
      })
    },
  },
]
