import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { floatsOf } from './memory.ts'

/** Every channel so many times, one after the other: … × C becomes … × C·times; itself for one. */
export function repeatChannels(backend: BackendWasm, image: TensorInfo, times: number): TensorInfo {
  if (times === 1) return image
  const shape = image.shape.map((size, axis) => (axis === 3 ? size * times : size))
  const repeated = backend.makeOutput(shape, 'float32')
  const [from, to] = [floatsOf(backend, image), floatsOf(backend, repeated)]
  for (let i = 0; i < from.length; i++) to.fill(from[i], i * times, (i + 1) * times)
  return repeated
}

/** Sums so many channels at a time: … × C·times becomes … × C; itself for one. */
export function sumChannels(backend: BackendWasm, image: TensorInfo, times: number): TensorInfo {
  if (times === 1) return image
  const shape = image.shape.map((size, axis) => (axis === 3 ? size / times : size))
  const summed = backend.makeOutput(shape, 'float32')
  const [from, to] = [floatsOf(backend, image), floatsOf(backend, summed)]
  for (let i = 0; i < to.length; i++) {
    let sum = 0
    for (let m = 0; m < times; m++) sum += from[i * times + m]
    to[i] = sum
  }
  return summed
}
