import { type Lowering, type Model, writeModel } from '@diffgrad/onnx'
import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor,
  TensorConstructor,
} from 'onnxruntime-common'
import { TrainerError } from './error.ts'

/** What is needed of a runtime: the module `onnxruntime-node` or `onnxruntime-web` has it. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory
  readonly Tensor: TensorConstructor
}

/** How the runtime runs a model: execution providers, threads and the like. */
export type SessionOptions = InferenceSession.SessionOptions

/** The execution providers that a session is to use, best first. */
export const providersOf = ({ executionProviders = [] }: SessionOptions): readonly string[] =>
  executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name))

/** Those that are not the processor itself, in Node or in a browser. */
export const acceleratorsOf = (options: SessionOptions): readonly string[] =>
  providersOf(options).filter((name) => name !== 'cpu' && name !== 'wasm')

/** The formulations that the providers of a session have: WebGPU trains no BatchNormalization. */
export const loweringFor = (options: SessionOptions): Partial<Lowering> =>
  providersOf(options).includes('webgpu') ? { operators: 'plain' } : {}

/** Tensors by the names of inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>

/**
 * Threads that wait for work sleep, so that a trainer between two steps costs nothing. Without a plan of
 * its memory, a fifth less of it is resident (XResNet-18, 64 px, batch 32: 680 MB of 850), as fast.
 */
const restful: SessionOptions = {
  logSeverityLevel: 3,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
}

/**
 * Makes a model ready to run.
 *
 * @throws {TrainerError} If the runtime or its provider lacks an operator of the model.
 */
export async function createSession(
  { InferenceSession }: Runtime,
  model: Model,
  options: SessionOptions = {},
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(writeModel(model), { ...restful, ...options })
  } catch (cause) {
    const on = providersOf(options)
      .map((name) => `, ${name}`)
      .join('')
    throw new TrainerError(`runtime${on}: cannot run ${complaint(model, cause)}`, { cause })
  }
}

/** What a runtime says of an operator that it has not. */
const missing =
  /implementation for (?<operator>[\w.:]+)\(\d+\) node with name '(?<node>[^']*)'|(?<unknown>[\w.]*:?\w+)\(-?\d+\) is not a registered function/

function complaint({ name }: Model, cause: unknown): string {
  const message = cause instanceof Error ? cause.message : `${cause}`
  const { operator, node, unknown } = message.match(missing)?.groups ?? {}
  if (operator) return `model "${name}": it has no operator ${operator}, which "${node}" needs`
  if (unknown) return `model "${name}": it has no operator ${unknown}`
  return `model "${name}": ${message}`
}

/** The elements of an output, as 32-bit floats. */
export function floatsOf(tensors: Tensors, name: string): Float32Array {
  const data = tensors[name]?.data
  if (data instanceof Float32Array) return data
  throw new TrainerError(`output "${name}": must be float32, but is ${tensors[name]?.type}`)
}

/** A scalar output. */
export const scalarOf = (tensors: Tensors, name: string): number => floatsOf(tensors, name)[0]
