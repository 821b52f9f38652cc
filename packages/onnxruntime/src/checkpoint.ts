import { describe, isPlainObject, type StateDict } from '@diffgrad/core'
import type { UnsharedBytes } from '@diffgrad/onnx'
import { TrainerError } from './errors.ts'
import {
  isRecord,
  parseJson,
  parseObject,
  readSafetensors,
  type Safetensors,
  type SavedTensor,
  writeSafetensors,
} from './safetensors.ts'

/** The whole state of a training. */
export interface Checkpoint {
  /** Parameters and running statistics. */
  readonly weights: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
  >
  /** The running means and variances of the averaged weights, if they are estimated. */
  readonly averageStatistics?: Checkpoint['weights'] | undefined
  readonly optimizer: StateDict
  /** JSON of the user's own: null, booleans, finite numbers, strings, and arrays and plain objects of them. */
  readonly notes: unknown
}

/** The only version of this format. */
const format = 'diffgrad checkpoint 1'

/** The key of a tensor of the optimizer's state: `optimizer/m/conv.weight` is `m` of `conv.weight`. */
const stateKey = /^optimizer\/(?<state>[^/]+)\/(?<parameter>.*)$/s

/** Before the name of a statistic of the averaged weights. */
const averagePrefix = 'average/'

/** Names of weights that could be taken for something else: they get the prefix `weight/` as keys. */
const reservedName = /^(?:average\/|optimizer\/|weight\/|__metadata__$|__proto__$)/

const weightKey = (name: string): string => (reservedName.test(name) ? `weight/${name}` : name)

/**
 * Writes a checkpoint as a safetensors file: weights under their own names, the optimizer's state
 * and averages of statistics beside them, all else as JSON in the metadata. Weights called `__metadata__`,
 * `__proto__`, `average/…`, `optimizer/…` or `weight/…` get the prefix `weight/`.
 *
 * @throws {TrainerError} Naming the first tensor with an element that is not finite, or the first of the
 *   notes that is no JSON value. Properties of notes that are undefined are omitted.
 */
export function writeCheckpoint({
  weights,
  averageStatistics = {},
  optimizer,
  notes,
}: Checkpoint): UnsharedBytes {
  checkJson('notes', notes, [])
  const weightTensors = Object.entries(weights).map(([name, tensor]): [string, SavedTensor] => [
    weightKey(name),
    tensor,
  ])
  const averageTensors = Object.entries(averageStatistics).map(
    ([name, tensor]): [string, SavedTensor] => [`${averagePrefix}${name}`, tensor],
  )
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
  const tensors = [...weightTensors, ...averageTensors, ...stateTensors]
  for (const [key, { data }] of tensors) checkFinite('checkpoint', key, data)
  return writeSafetensors({
    metadata: { format, optimizer: JSON.stringify(json), notes: JSON.stringify(notes) },
    tensors: Object.fromEntries(tensors),
  })
}

/**
 * Reads a file of `writeCheckpoint`.
 *
 * @param shapes - the shapes of the weights, by name, that the checkpoint must have; by default any.
 * @throws {TrainerError} If the file is damaged or of another format, or naming the first weight that
 *   is missing, unexpected, of another shape or not finite.
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
  const weights: [name: string, Checkpoint['weights'][string]][] = []
  const averages: [name: string, Checkpoint['weights'][string]][] = []
  const states = new Map<string, [state: string, SavedTensor][]>()
  for (const [key, { shape, data }] of Object.entries(tensors)) {
    const { state, parameter } = key.match(stateKey)?.groups ?? {}
    if (state !== undefined)
      states.set(parameter, [...(states.get(parameter) ?? []), [state, { shape, data }]])
    else if (!(data instanceof Float32Array))
      throw new TrainerError(`checkpoint: "${key}" must be F32, but is F64`)
    else if (key.startsWith(averagePrefix))
      averages.push([key.slice(averagePrefix.length), { shape, data }])
    else weights.push([key.replace(/^weight\//, ''), { shape, data }])
  }
  const checkpoint = {
    weights: Object.fromEntries(weights),
    ...(averages.length > 0 && { averageStatistics: Object.fromEntries(averages) }),
    notes: readNotes(metadata),
  }
  if (shapes) checkShapes(checkpoint.weights, shapes)
  for (const [name, { shape }] of averages) {
    const expected = Object.hasOwn(checkpoint.weights, name)
      ? checkpoint.weights[name].shape
      : undefined
    if (`${expected}` !== `${shape}`)
      throw new TrainerError(
        `checkpoint: "${averagePrefix}${name}" must have the shape of a weight, but is [${shape}]`,
      )
  }
  for (const [key, { data }] of Object.entries(tensors)) checkFinite('checkpoint', key, data)
  return { ...checkpoint, optimizer: readOptimizer(metadata, checkpoint.weights, states) }
}

function readNotes({ notes }: Safetensors['metadata']): unknown {
  return notes === undefined ? null : parseJson(notes, 'the notes')
}

/** Throws unless a value is the same after `JSON.stringify` and `JSON.parse`. */
function checkJson(path: string, value: unknown, ancestors: readonly unknown[]): void {
  if (value === null || ['boolean', 'string'].includes(typeof value) || Number.isFinite(value))
    return
  if (ancestors.includes(value))
    throw new TrainerError(`checkpoint: ${path} must be a JSON value, but contains itself`)
  const nested = [...ancestors, value]
  if (Array.isArray(value)) {
    // Unlike `forEach`, `entries` includes holes.
    for (const [i, element] of value.entries()) checkJson(`${path}[${i}]`, element, nested)
  } else if (isPlainObject(value)) {
    for (const [key, property] of Object.entries(value))
      if (property !== undefined) checkJson(`${path}.${key}`, property, nested)
  } else {
    throw new TrainerError(`checkpoint: ${path} must be a JSON value, but is ${describe(value)}`)
  }
}

/** The optimizer's state, whose own contents `loadStateDict` checks. */
function readOptimizer(
  { optimizer = '' }: Safetensors['metadata'],
  weights: Checkpoint['weights'],
  states: ReadonlyMap<string, readonly (readonly [state: string, SavedTensor])[]>,
): StateDict {
  const saved = parseObject(optimizer, "the optimizer's state")
  if (!isRecord(saved.parameters))
    throw new TrainerError("checkpoint: the optimizer's state must have parameters")
  const { parameters } = saved
  for (const [name, tensors] of states)
    for (const [state, { shape }] of tensors) {
      const expected = Object.hasOwn(parameters, name) ? weights[name]?.shape : undefined
      if (`${expected}` !== `${shape}`)
        throw new TrainerError(
          `checkpoint: "optimizer/${state}/${name}" must have the shape of a trained weight, but is [${shape}]`,
        )
    }
  const entries = Object.entries(parameters).map(([name, json]) => {
    const tensors = states.get(name) ?? []
    const state = Object.fromEntries(tensors.map(([key, { data }]) => [key, data]))
    return [name, { ...(isRecord(json) && json), state }]
  })
  // `loadStateDict` checks the rest.
  return { ...saved, parameters: Object.fromEntries(entries) } as StateDict
}

/** @throws {TrainerError} Naming the first element that is not finite. */
export function checkFinite(file: string, key: string, data: SavedTensor['data']): void {
  for (let i = 0; i < data.length; i++)
    if (!Number.isFinite(data[i]))
      throw new TrainerError(
        `${file}: "${key}" must hold finite values, but element ${i} is ${data[i]}`,
      )
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
