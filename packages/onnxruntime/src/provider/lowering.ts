import type { Lowering } from '@diffgrad/onnx'
import type { SessionOptions } from '../runtime.ts'
import { providersOf } from './names.ts'

/** The formulations that the providers of a session have: WebGPU trains no BatchNormalization. */
export const loweringFor = (options: SessionOptions): Partial<Lowering> =>
  providersOf(options).includes('webgpu') ? { operators: 'plain' } : {}
