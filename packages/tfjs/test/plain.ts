import {
  copyRegisteredKernels,
  findBackend,
  type KernelBackend,
  registerBackend,
} from '@tensorflow/tfjs-core'

/** Registers the cpu backend once more, without the mark by which it is known. */
export function registerPlain(): void {
  const Cpu = findBackend('cpu').constructor as new () => KernelBackend // The class of the backend.
  registerBackend('plain', () => {
    const backend = new Cpu()
    Reflect.deleteProperty(backend, 'blockSize')
    return backend
  })
  copyRegisteredKernels('cpu', 'plain')
}
