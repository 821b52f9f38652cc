import type { BackendUnderTest } from '@diffgrad/testing/conformance'
import { ArraysOptimizer, type EngineOptions } from '../src/index.ts'
import { compiles } from '../src/wasm/compile.ts'
import { allocatedArrays, type Start, shipped, subject } from './subject.ts'

const on =
  (kernel: NonNullable<EngineOptions['kernel']>): Start =>
  (rule, parameters, options) =>
    shipped(rule, parameters, { ...options, kernel })

/** Typed arrays on everything that can run kernels here. */
export const subjects = (): readonly BackendUnderTest[] => {
  const plain = [
    subject('generated JavaScript', on('javascript')),
    subject(
      'block interpreter',
      (rule, parameters, options) =>
        new ArraysOptimizer(rule, parameters, { ...options, kernel: 'interpreter' }),
    ),
  ]
  const wasm = [
    subject('WebAssembly, staged', on('wasm')),
    subject('WebAssembly, allocated', on('wasm'), allocatedArrays(false)),
  ]
  return [
    ...plain,
    ...(compiles(false) ? wasm : []),
    ...(compiles(false) && typeof SharedArrayBuffer !== 'undefined'
      ? [subject('WebAssembly, shared', on('wasm'), allocatedArrays(true))]
      : []),
    ...(compiles(true)
      ? [subject('WebAssembly, relaxed', on('wasm-relaxed'), allocatedArrays(false))]
      : []),
  ]
}
