import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { TensorInfo } from '@tensorflow/tfjs-core'

/** The memory in which a backend keeps its tensors; its builds differ in where they show it. */
export function memoryOf({ wasm }: BackendWasm): WebAssembly.Memory {
  const asm: unknown = Reflect.get(wasm, 'asm')
  const places = [Reflect.get(wasm, 'wasmMemory'), isObject(asm) && Reflect.get(asm, 'memory')]
  for (const place of places) if (place instanceof WebAssembly.Memory) return place
  throw new Error('@diffgrad/tfjs: this build of the wasm backend does not show its memory')
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The address of a tensor's first element. */
export const addressOf = (backend: BackendWasm, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset

/**
 * The elements of float32 tensors. Whatever makes another tensor may detach them: the memory moves
 * when it grows.
 */
export function floatsOf(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  const elements = backend.typedArrayFromHeap(tensor)
  if (elements instanceof Float32Array) return elements
  throw new Error(`@diffgrad/tfjs: a tensor of type ${tensor.dtype} holds no floats`)
}

/** A new tensor of zeros. */
export function zeros(backend: BackendWasm, shape: number[]): TensorInfo {
  const output = backend.makeOutput(shape, 'float32')
  floatsOf(backend, output).fill(0)
  return output
}
