import type { ParameterState, StateDict } from '@diffgrad/core'
import type { UnsharedBytes } from '@diffgrad/onnx'
import { TrainerError } from './errors.ts'
import { float32Data, type Tensors } from './runtime.ts'
import { readSafetensors, type SavedTensor, writeSafetensors } from './safetensors.ts'

/** The whole state of a training. */
export interface Checkpoint {
  /** Parameters and running statistics. */
  readonly weights: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
  >
  readonly optimizer: StateDict
  /** JSON of the user's own. */
  readonly notes: unknown
}

/** The only version of this format. */
const format = 'diffgrad checkpoint 1'

/** The name of a tensor of the optimizer's state: `optimizer/m/conv.weight` is `m` of `conv.weight`. */
const stateKey = /^optimizer\/(?<state>[^/]+)\/(?<parameter>.*)$/s

/**
 * Writes a checkpoint as a safetensors file: weights under their own names, the optimizer's state
 * beside them, all else as JSON in the metadata.
 */
export function writeCheckpoint({ weights, optimizer, notes }: Checkpoint): UnsharedBytes {
  const stateTensors = Object.entries(optimizer.parameters).flatMap(([name, { state: tensors }]) =>
    Object.entries(tensors).map(([state, data]): [string, SavedTensor] => [
      `optimizer/${state}/${name}`,
      { shape: weights[name].shape, data },
    ]),
  )
  const parameters = Object.entries(optimizer.parameters).map(([name, { state: _, ...json }]) => [
    name,
    json,
  ])
  const json = { ...optimizer, parameters: Object.fromEntries(parameters) }
  return writeSafetensors({
    metadata: { format, optimizer: JSON.stringify(json), notes: JSON.stringify(notes) },
    tensors: { ...weights, ...Object.fromEntries(stateTensors) },
  })
}

/**
 * Reads a file of `writeCheckpoint`.
 *
 * @param shapes - the shapes of the weights, by name, that the checkpoint must have; by default any.
 * @throws {TrainerError} If the file is damaged or of another format, or naming the first weight that
 *   is missing, unexpected or of another shape.
 */
export function readCheckpoint(
  bytes: Uint8Array,
  shapes?: Readonly<Record<string, readonly number[]>>,
): Checkpoint {
  const { metadata, tensors } = readSafetensors(bytes)
  if (metadata.format !== format)
    throw new TrainerError(
      `checkpoint: must be a ${format}, but is ${metadata.format ?? 'of another format'}`,
    )
  const weights: Record<string, Checkpoint['weights'][string]> = {}
  const states: Record<string, Record<string, SavedTensor['data']>> = {}
  for (const [key, { shape, data }] of Object.entries(tensors)) {
    const { state, parameter } = key.match(stateKey)?.groups ?? {}
    if (state !== undefined) states[parameter] = { ...states[parameter], [state]: data }
    else if (data instanceof Float32Array) weights[key] = { shape, data }
    else throw new TrainerError(`checkpoint: "${key}" must be F32, but is F64`)
  }
  if (shapes) checkShapes(weights, shapes)
  const saved: StateDict = JSON.parse(metadata.optimizer)
  const parameters = Object.entries(saved.parameters).map(
    ([name, json]): [string, ParameterState] => [name, { ...json, state: states[name] ?? {} }],
  )
  const optimizer = { ...saved, parameters: Object.fromEntries(parameters) }
  return { weights, optimizer, notes: JSON.parse(metadata.notes) }
}

function checkShapes(
  weights: Checkpoint['weights'],
  shapes: Readonly<Record<string, readonly number[]>>,
): void {
  for (const [name, shape] of Object.entries(shapes)) {
    const found = Object.hasOwn(weights, name) ? `[${weights[name].shape}]` : 'missing'
    if (found !== `[${shape}]`)
      throw new TrainerError(`checkpoint: "${name}" must be [${shape}], but is ${found}`)
  }
  const unexpected = Object.keys(weights).find((name) => !Object.hasOwn(shapes, name))
  if (unexpected !== undefined)
    throw new TrainerError(
      `checkpoint: unexpected weight "${unexpected}", which is not trained in the model`,
    )
}

/** Copies of a trainer's weights. */
export const copyWeights = (weights: Tensors): Checkpoint['weights'] =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { dims }]) => [
      name,
      { shape: dims, data: float32Data(weights, name).slice() },
    ]),
  )

export const shapesOf = (weights: Tensors): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(Object.entries(weights).map(([name, { dims }]) => [name, dims]))
