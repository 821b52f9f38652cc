import type { Lowering } from '@diffgrad/onnx'
import type { SessionOptions } from './runtime.ts'

/** The formulations that the providers of a session have: WebGPU trains no BatchNormalization. */
export function loweringFor({ executionProviders = [] }: SessionOptions): Partial<Lowering> {
  const names = executionProviders.map((provider) =>
    typeof provider === 'string' ? provider : provider.name,
  )
  return names.includes('webgpu') ? { operators: 'plain' } : {}
}
