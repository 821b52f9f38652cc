import type { LoraAdapter, LoraState, Tensor, UnsharedBytes } from '@diffgrad/onnx'
import { checkFinite } from './checkpoint.ts'
import { TrainerError } from './errors.ts'
import {
  isRecord,
  parseObject,
  readSafetensors,
  type SavedTensor,
  writeSafetensors,
} from './safetensors.ts'

/** The only version of this format. */
const format = 'diffgrad adapters 1'

/** The keys of the matrices of an adapter, and of other weights, by the name of the weight. */
const keysOf = (name: string): Readonly<Record<'a' | 'b' | 'other', string>> => ({
  a: `lora_A/${name}`,
  b: `lora_B/${name}`,
  other: `weight/${name}`,
})

/**
 * Writes adapters as a safetensors file, their factors as JSON in the metadata.
 *
 * @throws {TrainerError} Naming the first tensor with an element that is not finite.
 */
export function writeAdapters({ adapters, weights }: LoraState): UnsharedBytes {
  const scales = [...adapters].map(([name, { scale }]) => [name, scale])
  const tensors: [key: string, SavedTensor][] = [
    ...[...adapters].flatMap(([name, { a, b }]): [string, SavedTensor][] => [
      [keysOf(name).a, a],
      [keysOf(name).b, b],
    ]),
    ...[...weights].map(([name, tensor]): [string, SavedTensor] => [keysOf(name).other, tensor]),
  ]
  for (const [key, { data }] of tensors) checkFinite('adapters', key, data)
  return writeSafetensors({
    metadata: { format, scales: JSON.stringify(Object.fromEntries(scales)) },
    tensors: Object.fromEntries(tensors.map(([key, { shape, data }]) => [key, { shape, data }])),
  })
}

/**
 * Reads a file of `saveAdapters`.
 *
 * @throws {TrainerError} If it is damaged or of another format, or naming the first tensor that is missing
 *   or not finite.
 */
export function readAdapters(bytes: Uint8Array): LoraState {
  const { metadata, tensors } = readSafetensors(bytes)
  if (metadata.format !== format)
    throw new TrainerError(
      `adapters: must be ${format}, but are ${metadata.format ?? 'of another format'}`,
    )
  const tensor = (key: string): Tensor<'float32'> => {
    const { shape, data } = tensors[key] ?? {}
    if (!shape || !(data instanceof Float32Array))
      throw new TrainerError(`adapters: "${key}" must be F32, but is ${data ? 'F64' : 'missing'}`)
    checkFinite('adapters', key, data)
    return { type: 'float32', shape, data }
  }
  const scales = parseObject(metadata.scales ?? '', "the adapters' factors")
  const adapters = Object.entries(isRecord(scales) ? scales : {}).map(
    ([name, scale]): [string, LoraAdapter] => {
      if (typeof scale !== 'number' || !Number.isFinite(scale))
        throw new TrainerError(`adapters: the factor of "${name}" must be a number`)
      return [name, { a: tensor(keysOf(name).a), b: tensor(keysOf(name).b), scale }]
    },
  )
  const prefix = keysOf('').other
  const others = Object.keys(tensors)
    .filter((key) => key.startsWith(prefix))
    .map((key) => [key.slice(prefix.length), tensor(key)] as const)
  return { adapters: new Map(adapters), weights: new Map(others) }
}
