import { Bytes } from './bytes.ts'

/** The one import and the one export of every kernel's module. */
const importName = 'memory'
const exportName = 'kernel'

/** A kernel over a memory: where its arguments lie in it, the first element, how many elements. */
export type WasmKernel = (block: number, from: number, count: number) => void

const i32 = 0x7f
const v128 = 0x7b
const endOfFunction = 0x0b
/** A shared memory is imported with its limit: here the most that 32 bits can address. */
const mostPages = 65536

/**
 * A module with one function of three integers, on an imported memory.
 *
 * @param pointers - how many of its locals are addresses; they come first.
 * @param vectors - how many hold vectors.
 */
export function kernelModule(
  pointers: number,
  vectors: number,
  body: Bytes,
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const limits = shared ? new Bytes().raw(3, 1).unsigned(mostPages) : new Bytes().raw(0, 1)
  const code = new Bytes().raw(2).unsigned(pointers).raw(i32).unsigned(vectors).raw(v128)
  const module = new Bytes().raw(0, ...Array.from('asm', (c) => c.charCodeAt(0)), 1, 0, 0, 0)
  const section = (id: number, content: Bytes): Bytes => module.raw(id).sized(content)
  section(1, new Bytes().raw(1, 0x60, 3, i32, i32, i32, 0))
  section(2, new Bytes().raw(1).name('').name(importName).raw(2).append(limits))
  section(3, new Bytes().raw(1, 0))
  section(7, new Bytes().raw(1).name(exportName).raw(0, 0))
  section(10, new Bytes().raw(1).sized(code.append(body).raw(endOfFunction)))
  return module.toUint8Array()
}

/** A compiled kernel that works on a memory. */
export function bind(module: WebAssembly.Module, memory: WebAssembly.Memory): WasmKernel {
  const { exports } = new WebAssembly.Instance(module, { '': { [importName]: memory } })
  return exports[exportName] as WasmKernel // What `kernelModule` exports.
}
