import type { ByteArray } from '../typed-arrays.ts'
import { Bytes, opcode, valueType } from './assembler.ts'

/** The only import and the only export of every kernel's module. */
const importName = 'memory'
const exportName = 'kernel'

/**
 * A kernel of a module, on one memory: takes the address of its arguments, the first element, and the
 * number of elements.
 */
export type KernelFunction = (argumentsAt: number, from: number, count: number) => void

/** The limit of a shared memory, which its import must declare: all that 32 bits can address. */
const mostPages = 65536

/**
 * Encodes a module with one function of three integers, on an imported memory.
 *
 * @param locals - how many of its locals hold integers, which come first, and how many vectors.
 */
export function kernelModule(
  { integers, vectors }: { readonly integers: number; readonly vectors: number },
  body: Bytes,
  shared: boolean,
): ByteArray {
  const { i32, v128 } = valueType
  const limits = shared ? new Bytes().raw(3, 1).unsigned(mostPages) : new Bytes().raw(0, 1)
  const code = new Bytes().raw(2).unsigned(integers).raw(i32).unsigned(vectors).raw(v128)
  const module = new Bytes().raw(0, ...Array.from('asm', (c) => c.charCodeAt(0)), 1, 0, 0, 0)
  const section = (id: number, content: Bytes): Bytes => module.raw(id).sized(content)
  const [types, imports, functions, exports, codes] = [1, 2, 3, 7, 10]
  section(types, new Bytes().raw(1, 0x60, 3, i32, i32, i32, 0))
  section(imports, new Bytes().raw(1).name('').name(importName).raw(2).append(limits))
  section(functions, new Bytes().raw(1, 0))
  section(exports, new Bytes().raw(1).name(exportName).raw(0, 0))
  section(codes, new Bytes().raw(1).sized(code.append(body).raw(opcode.end)))
  return module.toUint8Array()
}

/** Instantiates a kernel on a memory. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): KernelFunction {
  const { exports } = new WebAssembly.Instance(module, { '': { [importName]: memory } })
  return exports[exportName] as KernelFunction // `kernelModule` exports nothing else.
}
