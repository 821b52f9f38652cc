import { expect, test } from 'vitest'
import { Adam, DiffGrad, SGD } from '../src/index.ts'

const w = (): Float32Array => Float32Array.of(1)

/** JavaScript, which no type stops. */
const make = (parameters: unknown, options?: unknown) => () =>
  new DiffGrad(parameters as { w: Float32Array }, options as object)

test.each([
  [0.01, '0.01'],
  [null, 'null'],
  [new Map([['learningRate', 0.5]]), 'a Map'],
  [() => ({ learningRate: 1 }), 'a function'],
  [[0.01], '[0.01]'],
])('options that are %o are refused before they are read', (options, described) => {
  expect(make({ w: w() }, options)).toThrow(
    new TypeError(
      `diffGrad: options must be an object such as { learningRate: 0.01 }, but are ${described}`,
    ),
  )
})

const kernels = 'auto, fastest, wasm-relaxed, wasm, javascript or interpreter'
const count = 'a whole number, at least 1, or auto'

test.each([
  [{ threads: Number.NaN }, `diffGrad: threads must be ${count}, but is NaN`],
  [{ threads: null }, `diffGrad: threads must be ${count}, but is null`],
  [{ threads: 1n }, `diffGrad: threads must be ${count}, but is 1n`],
  [{ kernel: null }, `diffGrad: kernel must be ${kernels}, but is null`],
  [{ kernel: 'toString' }, `diffGrad: kernel must be ${kernels}, but is toString`],
  [{ kernels: 'wasm' }, /^diffGrad: has no option kernels; it has /],
  [{ engine: 'wasm' }, /^diffGrad: has no option engine; it has /],
  [{ learningRate: (t: number) => 1 / t }, /^diffGrad: learningRate .*a function/],
])('the options %o are refused by name', (options, message) => {
  expect(make({ w: w() }, options)).toThrow(RangeError)
  expect(make({ w: w() }, options)).toThrow(message)
})

const arrays = 'must be a Float32Array or a Float64Array, but is'
const arraysOrShaped = 'must be a Float32Array, a Float64Array or { values, shape }, but is'

test.each([
  [{ w: new Int8Array(2) }, `diffGrad: the parameter w ${arrays} Int8Array(2)`],
  [{ w: new BigInt64Array(2) }, `diffGrad: the parameter w ${arrays} BigInt64Array(2)`],
  [{ w: new DataView(new ArrayBuffer(8)) }, `diffGrad: the parameter w ${arrays} DataView(8)`],
  [{ w: new ArrayBuffer(8) }, `diffGrad: the parameter w ${arrays} a ArrayBuffer`],
  [
    { w: { value: w() } },
    `diffGrad: the parameter w ${arraysOrShaped} an object with the keys value`,
  ],
  [
    { w: Object.create(null) },
    `diffGrad: the parameter w ${arraysOrShaped} an object without keys`,
  ],
  [{ w: Symbol('s') }, `diffGrad: the parameter w ${arrays} Symbol(s)`],
  [{ w: { values: w(), shape: 1 } }, /^diffGrad: the parameter w is Float32Array\(1\), which has/],
  [[w()], 'diffGrad: parameters must be an object or a list of pairs, but are a list of objects'],
  [[['w']], `diffGrad: the parameter w ${arrays} undefined`],
  [[[1, w()]], /^diffGrad: a parameter must be \{ name, value \}/],
  [undefined, /^diffGrad: parameters must be an object or a list of pairs, but are undefined/],
  ['w', /^diffGrad: parameters must be an object or a list of pairs, but are /],
])('the parameters %o are refused by name', (parameters, message) => {
  expect(make(parameters)).toThrow(TypeError)
  expect(make(parameters)).toThrow(message)
})

test('one array under two names is refused', () => {
  const twice = w()
  expect(make({ a: twice, b: twice })).toThrow('diffGrad: the parameters a and b share memory')
})

test('parameters are added in every form that the constructor takes, and as { name, value }', () => {
  const [a, b, c, d] = [w(), w(), w(), w()]
  const optimizer: SGD = new SGD({}, { learningRate: 1 })
  optimizer.add({ a })
  optimizer.add(new Map([['b', b]]))
  optimizer.add([['c', { values: c, shape: [1] }]])
  optimizer.add([{ name: 'd', value: d }], { learningRate: 0.5 })
  const gradient = w()
  optimizer.step({ a: gradient, b: gradient, c: gradient, d: gradient })
  expect([a, b, c, d].map(([value]) => value)).toEqual([0, 0, 0, 0.5])
  expect(() => optimizer.add({ e: w() }, 0.1 as never)).toThrow('SGD: options must be an object')
  expect(() => optimizer.add(w() as never)).toThrow('SGD: parameters must be')
})

test.each([undefined, null, 1, 'w'])('gradients that are %o are refused by name', (gradients) => {
  const optimizer = new Adam({ w: w() })
  expect(() => optimizer.step(gradients as never)).toThrow(
    /^Adam: gradients must be an object or a list of pairs, but are /,
  )
})

test.each(['auto', 'interpreter'] as const)(
  'after dispose, every call that changes the optimizer or uses its states throws: %s',
  (kernel) => {
    const options = { ema: { decay: 0.5 }, kernel }
    const optimizer: DiffGrad = new DiffGrad({ w: w() }, options)
    const state = optimizer.stateDict()
    optimizer.dispose()
    const calls: Readonly<Record<string, () => unknown>> = {
      step: () => optimizer.step({ w: w() }),
      'step without gradients': () => optimizer.step({}),
      inspect: () => optimizer.inspect({}),
      histograms: () => optimizer.histograms({}, { xi: [0, 1] }),
      set: () => optimizer.set({ learningRate: 1 }),
      report: () => optimizer.report(1),
      add: () => optimizer.add({ b: w() }),
      remove: () => optimizer.remove(['w']),
      replace: () => optimizer.replace({ name: 'w', value: w() }, (elements) => elements),
      swapAverage: () => optimizer.swapAverage(),
      state: () => optimizer.state('w'),
      stateDict: () => optimizer.stateDict(),
      loadStateDict: () => optimizer.loadStateDict(state),
    }
    for (const [name, call] of Object.entries(calls)) {
      expect(call, name).toThrow(new Error('diffGrad: the optimizer was disposed of'))
    }
    expect(optimizer.hyperparameters('w').learningRate).toBe(1e-3)
    expect(optimizer.options.ema).toEqual({ decay: 0.5 })
    expect(optimizer.updates).toBe(0)
    optimizer.dispose()
  },
)
