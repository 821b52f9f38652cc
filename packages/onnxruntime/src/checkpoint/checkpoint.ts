import type { ParameterState, StateDict } from '@diffgrad/core'
import { TrainerError } from '../error.ts'
import { readSafetensors, type SavedTensor, writeSafetensors } from './safetensors.ts'

/** All of a trainer. */
export interface Checkpoint {
  readonly weights: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
  >
  readonly optimizer: StateDict
  /** What the user keeps with it. */
  readonly notes: unknown
}

/** The only version of this format. */
const format = 'diffgrad checkpoint 1'

/** What an optimizer remembers is named after the weight: `memory/m/conv.weight`. */
const memory = /^memory\/(?<slot>[^/]+)\/(?<name>.*)$/s

/** A checkpoint as a safetensors file: weights under their names, memory beside, the rest as JSON. */
export function writeCheckpoint({
  weights,
  optimizer,
  notes,
}: Checkpoint): Uint8Array<ArrayBuffer> {
  const remembered = Object.entries(optimizer.parameters).flatMap(([name, { state }]) =>
    Object.entries(state).map(([slot, data]): [string, SavedTensor] => [
      `memory/${slot}/${name}`,
      { shape: weights[name].shape, data },
    ]),
  )
  const parameters = Object.entries(optimizer.parameters).map(([name, { step, options }]) => [
    name,
    { step, options },
  ])
  const rest = { ...optimizer, parameters: Object.fromEntries(parameters) }
  return writeSafetensors({
    metadata: { format, optimizer: JSON.stringify(rest), notes: JSON.stringify(notes) },
    tensors: { ...weights, ...Object.fromEntries(remembered) },
  })
}

/**
 * Reads what `writeCheckpoint` gave.
 *
 * @param shapes - of the weights that a model trains, to read a checkpoint of that model only.
 * @throws {TrainerError} If it is damaged, or something else; or naming the first weight that is of
 *   another model.
 */
export function readCheckpoint(
  bytes: Uint8Array,
  shapes?: Readonly<Record<string, readonly number[]>>,
): Checkpoint {
  const { metadata, tensors } = readSafetensors(bytes)
  if (metadata.format !== format)
    throw new TrainerError(
      `checkpoint: must be a ${format}, but is ${metadata.format ?? 'another'}`,
    )
  const weights: Record<string, Checkpoint['weights'][string]> = {}
  const memories: Record<string, Record<string, SavedTensor['data']>> = {}
  for (const [key, { shape, data }] of Object.entries(tensors)) {
    const { slot, name } = key.match(memory)?.groups ?? {}
    if (slot !== undefined) memories[name] = { ...memories[name], [slot]: data }
    else if (data instanceof Float32Array) weights[key] = { shape, data }
    else throw new TrainerError(`checkpoint: "${key}" must be F32, but is F64`)
  }
  if (shapes) mustFit(weights, shapes)
  const saved: StateDict = JSON.parse(metadata.optimizer)
  const parameters = Object.entries(saved.parameters).map(
    ([name, rest]): [string, ParameterState] => [name, { ...rest, state: memories[name] ?? {} }],
  )
  const optimizer = { ...saved, parameters: Object.fromEntries(parameters) }
  return { weights, optimizer, notes: JSON.parse(metadata.notes) }
}

function mustFit(
  weights: Checkpoint['weights'],
  shapes: Readonly<Record<string, readonly number[]>>,
): void {
  for (const [name, shape] of Object.entries(shapes)) {
    const is = Object.hasOwn(weights, name) ? `[${weights[name].shape}]` : 'missing'
    if (is !== `[${shape}]`)
      throw new TrainerError(`checkpoint: "${name}" must be [${shape}], but is ${is}`)
  }
  const surplus = Object.keys(weights).find((name) => !Object.hasOwn(shapes, name))
  if (surplus !== undefined)
    throw new TrainerError(`checkpoint: has "${surplus}", which the model has not, or not trained`)
}
