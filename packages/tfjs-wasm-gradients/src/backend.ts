import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'

/** The arguments of a kernel: tensors, attributes of the operation, and the backend that runs it. */
interface KernelArguments<Inputs extends string, Attributes> {
  readonly inputs: Readonly<Record<Inputs, TensorInfo>>
  readonly attrs: Attributes
  readonly backend: BackendWasm
}

/**
 * A kernel of the wasm backend.
 *
 * @param float32Inputs - the inputs that must have dtype float32; the kernel throws for any other.
 */
export const wasmKernel = <Inputs extends string, Attributes>(
  kernelName: string,
  float32Inputs: readonly Inputs[],
  run: (args: KernelArguments<Inputs, Attributes>) => TensorInfo,
): KernelConfig => {
  const checked = (args: KernelArguments<Inputs, Attributes>): TensorInfo => {
    for (const name of float32Inputs) {
      const { dtype } = args.inputs[name]
      if (dtype === 'float32') continue
      throw new Error(`${kernelName} on wasm: ${name} must be of type float32, but is ${dtype}`)
    }
    return run(args)
  }
  return {
    kernelName,
    backendName: 'wasm',
    // The registry holds kernels of all backends, so its type cannot know the inputs of this one.
    kernelFunc: checked as unknown as KernelConfig['kernelFunc'],
  }
}

/**
 * The memory in which a backend keeps its tensors. Which property holds it depends on the Emscripten
 * build.
 *
 * @throws Error if no known property does.
 */
export function memoryOf({ wasm }: BackendWasm): WebAssembly.Memory {
  const asm: unknown = Reflect.get(wasm, 'asm')
  const candidates = [Reflect.get(wasm, 'wasmMemory'), isObject(asm) && Reflect.get(asm, 'memory')]
  for (const memory of candidates) if (memory instanceof WebAssembly.Memory) return memory
  throw new Error(
    '@diffgrad/tfjs-wasm-gradients: this build of the wasm backend does not export its memory',
  )
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The address of a tensor's first element, in bytes. */
export const addressOf = (backend: BackendWasm, { dataId }: TensorInfo): number =>
  backend.dataIdMap.get(dataId).memoryOffset

/**
 * A view of the elements of a float32 tensor. Creating another tensor may detach it, because memory
 * moves when it grows.
 */
export function float32View(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  const elements = backend.typedArrayFromHeap(tensor)
  if (elements instanceof Float32Array) return elements
  throw new Error(
    `@diffgrad/tfjs-wasm-gradients: a tensor must be of type float32, but is ${tensor.dtype}`,
  )
}

/** Creates a float32 tensor of zeros. */
export function zeros(backend: BackendWasm, shape: number[]): TensorInfo {
  const output = backend.makeOutput(shape, 'float32')
  float32View(backend, output).fill(0)
  return output
}
