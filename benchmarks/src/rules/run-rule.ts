import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as arrays from '@diffgrad/arrays'
import * as tfjs from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { gradientAt, initialAt } from '../arrays/workloads.ts'
import { serveTimings, timeSteps } from '../child-process.ts'
import type { RuleBackend } from './bench.ts'

// Child process: one rule, by the name of its class, on one backend; or `copy`, the limit of the machine.

type ArraysClass = new (
  parameters: arrays.ParameterSet,
  options: arrays.ArraysOptions<object>,
) => arrays.ArraysOptimizer

const arraysClasses = new Map<string, unknown>(Object.entries(arrays))
const tfjsClasses = new Map<string, unknown>(Object.entries(tfjs))

async function arraysStep(
  className: string,
  elements: number,
  options: arrays.ArraysOptions<object>,
): Promise<() => unknown> {
  const shared = options.threads !== undefined
  const { parameters, gradients } = arrays.allocate({ theta: [elements] }, { shared })
  parameters.theta.set(parameters.theta.map((_, i) => initialAt(i)))
  gradients.theta.set(gradients.theta.map((_, i) => gradientAt(i)))
  // The adapters export a class of this name for every rule.
  const Optimizer = arraysClasses.get(className) as ArraysClass
  const optimizer = new Optimizer(parameters, options)
  await optimizer.ready
  return () => optimizer.step(gradients)
}

async function tfjsStep(
  className: string,
  elements: number,
  backend: string,
): Promise<() => unknown> {
  const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  setWasmPaths(`${dirname(file)}/`)
  tf.env().set('IS_TEST', true) // Suppresses the advice to install tfjs-node.
  await tf.setBackend(backend)
  const values = (at: (i: number) => number): tf.Tensor1D =>
    tf.tensor1d(Float32Array.from({ length: elements }, (_, i) => at(i)))
  const { name } = tf.variable(values(initialAt))
  const gradients = [{ name, tensor: values(gradientAt) }]
  const Optimizer = tfjsClasses.get(className) as new () => tf.Optimizer
  const optimizer = new Optimizer()
  return () => optimizer.applyGradients(gradients)
}

/** Copies an array into another: reads and writes 4 bytes an element. */
function copyStep(elements: number): () => unknown {
  const [from, to] = [new Float32Array(elements).fill(1), new Float32Array(elements)]
  return () => to.set(from)
}

const [backend, className, count] = process.argv.slice(2)
const elements = Number(count)
const steps: Readonly<Record<RuleBackend, () => Promise<() => unknown>>> = {
  'arrays, wasm': () => arraysStep(className, elements, { kernel: 'wasm' }),
  'arrays, wasm, 2 threads': () => arraysStep(className, elements, { threads: 2 }),
  'arrays, JavaScript': () => arraysStep(className, elements, { kernel: 'javascript' }),
  'tfjs, cpu': () => tfjsStep(className, elements, 'cpu'),
  'tfjs, wasm': () => tfjsStep(className, elements, 'wasm'),
}
const step = className === 'copy' ? copyStep(elements) : await steps[backend as RuleBackend]()
await serveTimings((count) => timeSteps(step, count))
