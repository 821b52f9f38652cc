import { setFlagsFromString } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { Adam, allocate, SGD, type StateDict } from '../src/index.ts'

// Node 20 has relaxed SIMD only on request; later ones have it anyway.
setFlagsFromString('--experimental-wasm-relaxed-simd')

/** A resizable buffer, which TypeScript's lib ES2023 does not know. */
const resizable = (byteLength: number): ArrayBuffer & { resize(byteLength: number): void } =>
  new (
    ArrayBuffer as unknown as new (
      byteLength: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(byteLength: number): void }
  )(byteLength, { maxByteLength: 4096 })

const ones = (length: number): Float32Array => new Float32Array(length).fill(1)

describe.each(['wasm', 'wasm-relaxed', 'javascript', 'interpreter'] as const)('on %s', (kernel) => {
  /** An optimizer of x, which tracks the length of its buffer, and of y, after one step. */
  function started() {
    const buffer = resizable(16)
    const [x, y] = [new Float32Array(buffer), ones(4)]
    const optimizer = new Adam({ x, y }, { kernel, ema: { decay: 0.5 } })
    optimizer.step({ x: ones(4), y: ones(4) })
    const saved = (): StateDict => optimizer.stateDict()
    return { buffer, x, y, optimizer, saved }
  }

  test('a parameter whose buffer has grown is refused, and no other memory changes', () => {
    const { buffer, y, optimizer, saved } = started()
    const before = structuredClone([y, saved()])
    buffer.resize(256)
    const message = 'Adam: the parameter x has 64 elements, but had 4 when it was added; replace it'
    expect(() => optimizer.step({ x: ones(64).fill(7) })).toThrow(new RangeError(message))
    expect(() => optimizer.step({ y: ones(4) })).toThrow(message)
    expect(() => optimizer.inspect({ x: ones(64) })).toThrow(message)
    expect(() => optimizer.histograms({ x: ones(64) }, {})).toThrow(message)
    expect(() => optimizer.swapAverage()).toThrow(message)
    expect(() => optimizer.loadStateDict(saved(), { transforms: 'load' })).toThrow(message)
    expect([y, saved()]).toEqual(before)
  })

  test('a parameter whose buffer has shrunk is refused, also one with a length of its own', () => {
    const { buffer, y, optimizer, saved } = started()
    const fixed = new Float32Array(buffer, 0, 2)
    const other = new SGD({ fixed }, { kernel })
    const before = structuredClone([y, saved()])
    buffer.resize(4)
    expect(() => optimizer.step({ x: ones(1), y: ones(4) })).toThrow(
      'Adam: the parameter x has 1 elements, but had 4 when it was added; replace it',
    )
    expect(() => other.step({ fixed: ones(0) })).toThrow(
      'SGD: the parameter fixed has lost its elements: its buffer is detached or shrunk',
    )
    expect([y, saved()]).toEqual(before)
  })

  test('a parameter whose buffer was resized can be replaced by itself', () => {
    const { buffer, x, optimizer } = started()
    buffer.resize(32)
    optimizer.replace({ name: 'x', value: x }, (elements) => {
      const longer = new Float32Array(8)
      longer.set(elements)
      return longer
    })
    expect(Array.from(optimizer.state('x').m, (m) => m > 0)).toEqual(
      Array.from({ length: 8 }, (_, i) => i < 4),
    )
    const before = x.slice()
    optimizer.step({ x: ones(8) })
    expect(x.every((value, i) => value < before[i])).toBe(true)
  })

  test('a gradient that shares memory with a parameter or a state is refused, and nothing moves', () => {
    const all = Float32Array.of(1, 2, 3, 4, 5, 6)
    const [x, y] = [all.subarray(0, 2), all.subarray(2, 4)]
    const optimizer = new Adam({ x, y }, { kernel })
    optimizer.step({ x: ones(2), y: ones(2) })
    const { m } = optimizer.state('y')
    const before = structuredClone([all, optimizer.stateDict()])
    const refused = (gradient: Float32Array, by: string) => {
      const message = `Adam: the gradient of x shares memory with the ${by}, which would change before it is read`
      expect(() => optimizer.step({ x: gradient })).toThrow(new RangeError(message))
      expect(() => optimizer.inspect({ x: gradient })).toThrow(message)
    }
    refused(all.subarray(0, 2), 'parameter x')
    refused(all.subarray(1, 3), 'parameter x')
    refused(all.subarray(3, 5), 'parameter y')
    refused(m as Float32Array, 'state m')
    refused(m.subarray() as Float32Array, 'state m')
    expect([all, optimizer.stateDict()]).toEqual(before)
    expect(optimizer.step({ x: all.subarray(4, 6) })).toBe('updated')
  })

  test('memory of a removed parameter is free for a gradient and for another parameter', () => {
    const all = ones(4)
    const optimizer: Adam = new Adam({ x: all.subarray(0, 2), y: all.subarray(2) }, { kernel })
    const { m } = optimizer.state('y')
    expect(() => optimizer.add({ z: all.subarray(1, 3) })).toThrow(
      new TypeError('Adam: the parameters x and z share memory'),
    )
    expect(() => optimizer.add({ z: m.subarray(1) })).toThrow(
      new TypeError('Adam: the parameter z shares memory with the state m'),
    )
    optimizer.remove(['y'])
    optimizer.step({ x: all.subarray(2) })
    optimizer.add({ z: all.subarray(2) }, { learningRate: 1 })
    optimizer.step({ z: ones(2) })
    expect(all[2]).toBeLessThan(0.1)
    expect(() => optimizer.step({ x: all.subarray(2) })).toThrow('with the parameter z')
  })

  test('a replaced parameter continues with the state that it is given', () => {
    const gradient = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i + 1))
    const [x, alone] = [ones(3), ones(3)]
    const optimizer = new Adam({ x, y: ones(2) }, { kernel, learningRate: 0.1 })
    const other = new Adam({ x: alone }, { kernel, learningRate: 0.1 })
    for (const one of [optimizer, other]) one.step({ x: gradient(3) })
    const doubled = Float32Array.of(...x, ...x)
    optimizer.replace({ name: 'x', value: doubled }, (elements) =>
      Float32Array.of(...elements, ...elements),
    )
    optimizer.step({ x: Float32Array.of(...gradient(3), ...gradient(3)) })
    other.step({ x: gradient(3) })
    expect(doubled).toEqual(Float32Array.of(...alone, ...alone))
    expect(() => optimizer.replace({ name: 'y', value: doubled }, (m) => m)).toThrow(
      new TypeError('Adam: the parameters x and y share memory'),
    )
  })
})

test('replacing parameters of an allocation again and again keeps its memory', () => {
  const { parameters, gradients } = allocate({ a: [1000], b: [500] })
  const optimizer = new Adam(parameters)
  for (let k = 0; k < 100; k++) {
    for (const name of ['a', 'b'] as const) {
      optimizer.replace({ name, value: parameters[name] }, (elements) => elements)
    }
  }
  expect(optimizer.kernel.copies).toBe(false)
  for (const gradient of Object.values(gradients)) gradient.fill(1)
  optimizer.step(gradients)
  expect([...parameters.a, ...parameters.b].every((value) => value < 0)).toBe(true)
  const { m, v } = optimizer.state('a')
  expect([m, v].every((average) => new Set(average).size === 1)).toBe(true)
})

test('parameters that are added one by one take few memories, and move like others', () => {
  const { Memory } = WebAssembly
  let memories = 0
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      memories++
    }
  }
  try {
    const optimizer: Adam = new Adam({})
    const parameters = Array.from({ length: 1000 }, () => ones(2))
    for (const [i, value] of parameters.entries()) optimizer.add({ [`p${i}`]: value })
    optimizer.step(parameters.map((_, i) => [`p${i}`, ones(2)] as const))
    expect(new Set(parameters.flatMap((values) => [...values])).size).toBe(1)
    expect(memories).toBeLessThan(20)
  } finally {
    WebAssembly.Memory = Memory
  }
})
