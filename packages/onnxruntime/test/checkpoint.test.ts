import { DiffGrad } from '@diffgrad/arrays'
import { adam, cosine, diffGrad, type OptimizerOptions } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  linear,
  type Model,
  sequential,
} from '@diffgrad/onnx'
import { testSeed } from '@diffgrad/testing/seed'
import { safetensors } from '@jax-js/loaders'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { readCheckpoint, Trainer, TrainerError, writeCheckpoint } from '../src/index.ts'
import { smallModel, stripes } from './small-model.ts'

const transforms = {
  accumulate: 2,
  clip: { by: 'globalNorm', limit: 1 },
  lookahead: { every: 3, alpha: 0.5 },
  ema: { decay: 0.9 },
} as const

const createTrainer = (
  options: OptimizerOptions<typeof diffGrad.defaults> = transforms,
  update: 'kernel' | 'graph' = 'kernel',
) =>
  Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    dimensions: { batch: 16 },
    optimizer: {
      rule: diffGrad,
      learningRate: cosine({ from: 1e-2, to: 1e-3, steps: 20 }),
      ...options,
    },
    update,
  })

const train = async (trainer: Trainer<never>, from: number, to: number): Promise<number[]> => {
  const losses: number[] = []
  for (let t = from; t < to; t++) losses.push((await trainer.step(stripes(t))).loss)
  return losses
}

test.each([
  ['kernel', transforms],
  ['graph', {}],
] as const)(
  'resumed training equals uninterrupted training bit for bit: %s',
  async (update, options) => {
    const uninterrupted = await createTrainer(options, update)
    await train(uninterrupted, 0, 7)
    const saved = await uninterrupted.save({ randomState: 7 })
    const expected = await train(uninterrupted, 7, 15)
    const resumed = await createTrainer(options, update)
    expect(await resumed.load(saved)).toEqual({ randomState: 7 })
    expect(await train(resumed, 7, 15)).toEqual(expected)
    expect(await resumed.save()).toEqual(await uninterrupted.save())
    await uninterrupted.dispose()
    await resumed.dispose()
  },
)

test('an independent reader finds the weights and the optimizer state', async () => {
  const trainer = await createTrainer()
  await train(trainer, 0, 3)
  const { tensors, metadata } = safetensors.parse(await trainer.save())
  expect(tensors['0.0.weight'].shape).toEqual([8, 1, 3, 3])
  expect(tensors['0.1.running_mean'].data).toHaveLength(8)
  expect(tensors['optimizer/previousGradient/2.weight'].dtype).toBe('F32')
  expect(JSON.parse(metadata?.optimizer ?? '')).toMatchObject({ rule: 'diffGrad', updates: 1 })
  await trainer.dispose()
})

test('a checkpoint of another model or optimizer is an error that names the first difference, and nothing changes', async () => {
  const trainer = await createTrainer()
  await train(trainer, 0, 4)
  const before = await trainer.save()
  const options = { loss: crossEntropy(), dimensions: { batch: 16 } }
  const wider = buildModel(
    sequential(sequential(conv(9), batchNorm()), globalAveragePool, linear(3)),
    { shape: ['batch', 1, 8, 8], seed: testSeed(1) },
  )
  const others = [
    [smallModel(), { rule: adam }, 'diffGrad: the state is of Adam'],
    [smallModel(), { rule: diffGrad, version: 1 }, 'diffGrad: the state has version 1'],
  ] as const
  const other = await Trainer.create(ort, wider, { ...options, optimizer: { rule: diffGrad } })
  await expect(trainer.load(await other.save())).rejects.toThrow(
    'checkpoint: "0.0.weight" must be [8,1,3,3], but is [9,1,3,3]',
  )
  for (const [model, optimizer, message] of others) {
    const other = await Trainer.create(ort, model, { ...options, optimizer } as never)
    await expect(trainer.load(await other.save())).rejects.toThrow(message)
    await other.dispose()
  }
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

type Header = Record<string, { shape: number[]; dtype: string; data_offsets: number[] }> & {
  __metadata__: Record<string, string>
}

/** Changes the header of a file as a value, then as text, and the elements after it. */
function edited(
  bytes: Uint8Array,
  {
    header: editHeader = () => undefined,
    text: editText = (text: string) => text,
    data: editData = () => undefined,
  }: {
    header?: (header: Header) => unknown
    text?: (text: string) => string
    data?: (elements: Float32Array, offsets: Header) => unknown
  },
): Uint8Array {
  const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))
  const header: Header = JSON.parse(Buffer.from(bytes.subarray(8, end)).toString())
  const data = bytes.slice(end)
  editData(new Float32Array(data.buffer), header)
  editHeader(header)
  const text = Buffer.from(editText(JSON.stringify(header)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return new Uint8Array(Buffer.concat([length, text, data]))
}

const weight = '2.weight'
const state = `optimizer/m/${weight}`

const damages: readonly (readonly [
  what: string,
  damage: (bytes: Uint8Array) => Uint8Array,
  message: string | RegExp,
])[] = [
  [
    'truncated',
    (bytes) => bytes.subarray(0, bytes.length - 8),
    /ends at byte \d+, but the file has/,
  ],
  [
    'of 5 bytes',
    (bytes) => bytes.subarray(0, 5),
    'checkpoint: must be a safetensors file, but its 5 bytes are another or a truncated one',
  ],
  [
    'of zeros',
    () => new Uint8Array(64),
    'checkpoint: must be a safetensors file, but its 64 bytes are',
  ],
  [
    'with a byte after the end',
    (bytes) => new Uint8Array([...bytes, 0]),
    /must end at byte \d+, with its last tensor, but has/,
  ],
  [
    'with overlapping tensors',
    (bytes) =>
      edited(bytes, {
        header: (header) => {
          header[state].data_offsets = header[weight].data_offsets
        },
      }),
    /must begin at byte \d+, where the tensor before it ends, but begins at/,
  ],
  [
    'with a negative shape',
    (bytes) =>
      edited(bytes, {
        header: (header) => {
          header[weight].shape = [-3, -16]
        },
      }),
    `checkpoint: the shape of "${weight}" must be whole numbers, but is [-3,-16]`,
  ],
  [
    'with a gap',
    (bytes) =>
      edited(bytes, {
        header: (header) => {
          delete header[weight]
        },
      }),
    /must begin at byte \d+, where the tensor before it ends, but begins at/,
  ],
  [
    'with negative offsets',
    (bytes) =>
      edited(bytes, {
        header: (header) => {
          header[weight].data_offsets = [-192, 0]
        },
      }),
    '"2.weight" must take 192 bytes as F32 [3,16], but its offsets are -192,0',
  ],
  [
    'with a shape of text',
    (bytes) =>
      edited(bytes, { text: (text) => text.replace('"shape":[3,16]', '"shape":["3","16"]') }),
    'checkpoint: the shape of "2.weight" must be whole numbers, but is ["3","16"]',
  ],
  [
    'with a tensor twice',
    (bytes) =>
      edited(bytes, {
        text: (text) =>
          text.replace(
            '"2.bias":',
            '"2.\\u0062ias" :{"dtype":"F32","shape":[0],"data_offsets":[0,0]},$&',
          ),
      }),
    'checkpoint: its header must have every key once, but has "2.bias" twice',
  ],
  [
    'with a parameter of the optimizer twice',
    (bytes) =>
      edited(bytes, {
        header: ({ __metadata__ }) => {
          __metadata__.optimizer = __metadata__.optimizer.replace('"2.bias":', '"2.bias":{},$&')
        },
      }),
    `checkpoint: the optimizer's state must have every key once, but has "2.bias" twice`,
  ],
  [
    'with a number as metadata',
    (bytes) => edited(bytes, { text: (text) => text.replace('"notes":"null"', '"notes":5') }),
    'checkpoint: "__metadata__" must hold strings',
  ],
  [
    'without parameters of the optimizer',
    (bytes) =>
      edited(bytes, {
        header: ({ __metadata__ }) => {
          __metadata__.optimizer = '{"parameters":null}'
        },
      }),
    "checkpoint: the optimizer's state must have parameters",
  ],
  [
    'with null as the state of the optimizer',
    (bytes) =>
      edited(bytes, {
        header: ({ __metadata__ }) => {
          __metadata__.optimizer = 'null'
        },
      }),
    "checkpoint: the optimizer's state must be a JSON object, but is null",
  ],
  [
    'with the state of an unknown parameter',
    (bytes) =>
      edited(bytes, {
        text: (text) => text.replace('"optimizer/m/2.bias"', '"optimizer/m/__proto__"'),
      }),
    'checkpoint: "optimizer/m/__proto__" must have the shape of a trained weight, but is [3]',
  ],
  [
    'with a weight of NaN',
    (bytes) =>
      edited(bytes, {
        data: (elements, offsets) => {
          elements[offsets[weight].data_offsets[0] / 4 + 5] = Number.NaN
        },
      }),
    'checkpoint: "2.weight" must hold finite values, but element 5 is NaN',
  ],
  [
    'with an infinite optimizer state',
    (bytes) =>
      edited(bytes, {
        data: (elements, offsets) => {
          elements[offsets[state].data_offsets[0] / 4] = Number.NEGATIVE_INFINITY
        },
      }),
    'checkpoint: "optimizer/m/2.weight" must hold finite values, but element 0 is -Infinity',
  ],
]

test.each(damages)(
  'a checkpoint %s is refused by name, and nothing changes',
  async (_, damage, message) => {
    const trainer = await createTrainer({})
    await train(trainer, 0, 2)
    const before = await trainer.save()
    await expect(trainer.load(damage(before))).rejects.toThrow(message)
    await expect(trainer.load(damage(before))).rejects.toBeInstanceOf(TrainerError)
    expect(await trainer.save()).toEqual(before)
    await trainer.dispose()
  },
)

const emptyState = new DiffGrad({}).stateDict()

test('values that are not finite are refused when they are saved, so that what is saved can be loaded', () => {
  const data = Float32Array.of(1, Number.POSITIVE_INFINITY)
  const weights = { w: { shape: [2], data } }
  const { notes } = readCheckpoint(
    writeCheckpoint({ weights: {}, optimizer: emptyState, notes: 1 }),
  )
  expect(notes).toBe(1)
  expect(() => writeCheckpoint({ weights, optimizer: emptyState, notes: null })).toThrow(
    'checkpoint: "w" must hold finite values, but element 1 is Infinity',
  )
})

const cycle: Record<string, unknown> = {}
cycle.self = [cycle]

test.each([
  ['NaN', { a: Number.NaN }, 'notes.a must be a JSON value, but is NaN'],
  ['a function', () => 1, 'notes must be a JSON value, but is a function'],
  ['a symbol', [Symbol('s')], 'notes[0] must be a JSON value, but is Symbol(s)'],
  ['a Map', { a: [{ b: new Map() }] }, 'notes.a[0].b must be a JSON value, but is a Map'],
  ['a bigint', { a: 1n }, 'notes.a must be a JSON value, but is 1n'],
  ['a date', { at: new Date(0) }, 'notes.at must be a JSON value, but is a Date'],
  ['a typed array', { a: Float32Array.of(1) }, 'notes.a must be a JSON value, but is Float32Array'],
  ['a hole', new Array(1), 'notes[0] must be a JSON value, but is undefined'],
  ['toJSON', { toJSON: () => 1 }, 'notes.toJSON must be a JSON value, but is a function'],
  ['themselves', cycle, 'notes.self[0] must be a JSON value, but contains itself'],
])('notes with %s, which JSON would lose, are refused by their path', async (_, notes, message) => {
  const write = () => writeCheckpoint({ weights: {}, optimizer: emptyState, notes })
  expect(write).toThrow(TrainerError)
  expect(write).toThrow(`checkpoint: ${message}`)
  const trainer = await createTrainer({})
  await expect(trainer.save(notes)).rejects.toThrow(`checkpoint: ${message}`)
  await trainer.dispose()
})

test('notes are loaded as they were saved, without properties that are undefined', () => {
  const twice = { x: 1 }
  const notes = { a: [null, true, -1.5, 'text', twice, twice], b: { c: [] } }
  const written = writeCheckpoint({
    weights: {},
    optimizer: emptyState,
    notes: { ...notes, unknown: undefined },
  })
  expect(readCheckpoint(written).notes).toStrictEqual(notes)
})

test.each([
  ...['optimizer/m/kernel', 'optimizer/lstm/w', 'weight/w', '__metadata__', '__proto__'],
  ...['constructor', 'hasOwnProperty', 'length', '0', 'ünïcode/层.weight', 'a"b\\c'],
])('a weight called %j is saved and loaded', async (name) => {
  const renamed = (model: Model): Model => ({
    ...model,
    initializers: new Map(
      [...model.initializers].map(([key, x]) => [key === weight ? name : key, x]),
    ),
    nodes: model.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => (input === weight ? name : input)),
    })),
  })
  for (const update of ['kernel', 'graph'] as const) {
    const create = (model: Model) =>
      Trainer.create(ort, model, {
        loss: crossEntropy(),
        dimensions: { batch: 16 },
        optimizer: { rule: diffGrad },
        update,
      })
    const [plain, trainer] = [await create(smallModel()), await create(renamed(smallModel()))]
    const expected = await train(plain, 0, 3)
    expect(await train(trainer, 0, 3)).toEqual(expected)
    const saved = await trainer.save()
    const resumed = await create(renamed(smallModel()))
    await resumed.load(saved)
    expect(await resumed.save()).toEqual(saved)
    expect(await train(resumed, 3, 6)).toEqual(await train(plain, 3, 6))
    for (const each of [plain, trainer, resumed]) await each.dispose()
  }
})
