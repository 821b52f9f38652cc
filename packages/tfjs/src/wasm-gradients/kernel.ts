import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'

/** What a kernel is called with. */
interface Call<Inputs extends string, Attributes> {
  readonly inputs: Readonly<Record<Inputs, TensorInfo>>
  readonly attrs: Attributes
  readonly backend: BackendWasm
}

/**
 * A kernel of the wasm backend, over 32-bit floats.
 * @param floats - the inputs that must be of that type.
 */
export const wasmKernel = <Inputs extends string, Attributes>(
  kernelName: string,
  floats: readonly Inputs[],
  run: (call: Call<Inputs, Attributes>) => TensorInfo,
): KernelConfig => {
  const checked = (call: Call<Inputs, Attributes>): TensorInfo => {
    for (const name of floats) {
      const { dtype } = call.inputs[name]
      if (dtype === 'float32') continue
      throw new Error(`${kernelName} on wasm: ${name} must be of type float32, but is ${dtype}`)
    }
    return run(call)
  }
  return {
    kernelName,
    backendName: 'wasm',
    // The registry holds kernels of all backends, so its type cannot know the inputs of this one.
    kernelFunc: checked as unknown as KernelConfig['kernelFunc'],
  }
}
