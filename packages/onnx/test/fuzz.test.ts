import { writeSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decompositions } from '../src/autodiff/decompositions.ts'
import { gradientRules } from '../src/autodiff/gradients.ts'
import { inferenceModel } from '../src/evaluation-model.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { Graph } from '../src/ir/graph.ts'
import { cpuLowering, referenceLowering } from '../src/ir/lowering.ts'
import { toModel } from '../src/ir/to-model.ts'
import { OnnxError } from '../src/model/error.ts'
import type { Attribute, Model, Node, Tensor } from '../src/model/model.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { seeded } from '../src/nn/initializers.ts'
import { type Loss, meanSquaredError } from '../src/nn/losses.ts'
import { conditional, scale, squeeze, twice, withFunctions } from './control-flow-files.ts'
import { cases } from './gradcheck/cases.ts'
import { fixture } from './model-file.ts'

/**
 * `pnpm fuzz` sets the seconds for each test, and a seed that it prints; `FUZZ_SEED` repeats a run. An
 * ordinary run tries a fixed number.
 */
const seconds = Number(process.env.FUZZ_SECONDS ?? 0)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const budget = (numRuns: number): fc.Parameters<unknown> =>
  seconds > 0
    ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: 1000 * seconds, seed }
    : { numRuns, seed: 1 }

const external = (): Uint8Array => fixture('bert.onnx_data')
const sizes = { batch: 2, batch_size: 3, length: 1, sequence_length: 7 }

/** The sizes of the dimensions that a model has. */
function dimensionsOf({ inputs, outputs, values }: Model): Readonly<Record<string, number>> {
  const all = [...inputs, ...outputs, ...values.values()].flatMap(({ shape = [] }) => shape)
  return Object.fromEntries(Object.entries(sizes).filter(([name]) => all.includes(name)))
}

type Verdict = 'accepted' | 'rejected'

/** Runs a task. @throws Any error but an `OnnxError`. */
function verdictOf(task: () => void): Verdict {
  try {
    task()
    return 'accepted'
  } catch (error) {
    if (error instanceof OnnxError) return 'rejected'
    throw error
  }
}

/** Prints although vitest keeps the output of passed tests. */
const report = (line: string): number => writeSync(2, `${line}\n`)

/** Counts verdicts, and checks memory and, on request only, time. */
function attempts() {
  const count = { accepted: 0, rejected: 0 }
  let slowest = 0
  return {
    run(task: () => void, maxBytes: number): void {
      const [bytes, start] = [process.memoryUsage().arrayBuffers, performance.now()]
      count[verdictOf(task)]++
      expect(process.memoryUsage().arrayBuffers - bytes).toBeLessThan(maxBytes)
      slowest = Math.max(slowest, performance.now() - start)
      if (seconds > 0) expect(performance.now() - start).toBeLessThan(2000)
    },
    finish(what: string): void {
      expect(count.accepted).toBeGreaterThan(0)
      expect(count.rejected).toBeGreaterThan(0)
      if (seconds > 0)
        report(
          `${what}, seed ${seed}: ${count.accepted} accepted, ${count.rejected} rejected, the slowest took ${slowest.toFixed(0)} ms`,
        )
    },
  }
}

const files = [
  ...['mobile.onnx', 'unet.onnx', 'bert.onnx', 'fp16_cast.onnx'].map(fixture),
  ...['decoder-11', 'lstm-11'].map((name) => gunzipSync(fixture(`${name}.onnx.gz`))),
  ...[squeeze, conditional('initializer'), withFunctions([scale, twice])],
]

/** An edit at a position in a file: usually replaces bytes, sometimes inserts, removes or truncates. */
const edit = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 3 })
      .map((insert) => ({ insert, remove: insert.length, truncate: false })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      insert: fc.uint8Array({ maxLength: 20 }),
      remove: fc.nat(20),
      truncate: fc.nat(9).map((n) => n === 0),
    }),
  },
)
const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

const corrupted = fc
  .tuple(
    fc.constantFrom(...files),
    fc.array(fc.tuple(position, edit), { minLength: 1, maxLength: 6 }),
  )
  .map(([file, edits]) =>
    edits.reduce((bytes, [at, { remove, insert, truncate }]) => {
      const start = Math.floor(at * bytes.length)
      const rest = truncate ? new Uint8Array() : bytes.subarray(start + remove)
      return new Uint8Array(Buffer.concat([bytes.subarray(0, start), insert, rest]))
    }, file),
  )

test(
  'a corrupted file is read or rejected with an OnnxError, in little memory',
  () => {
    const { run, finish } = attempts()
    const file = fc.oneof(
      { weight: 9, arbitrary: corrupted },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    )
    fc.assert(
      fc.property(file, (bytes) =>
        run(
          () => {
            const model = readModel(bytes, external)
            writeModel(model)
            gradientModel(model, { loss: lossOf(model), dimensions: dimensionsOf(model) })
          },
          64 * 2 ** 20,
        ),
      ),
      budget(2000),
    )
    finish('files')
  },
  1000 * seconds + 60_000,
)

/** Every case of the gradient check as a model, whose inputs are parameters. */
const caseModels = cases.map(({ inputs, build }): Model => {
  const random = seeded(1)
  const graph = new Graph()
  const shapes = inputs({
    size: (low, high) => low + Math.floor(random.uniform() * (high - low + 1)),
  })
  const values = shapes.map((shape, i) => graph.parameter(`x${i}`, floats(shape)))
  return toModel({ name: 'case', outputs: new Map([['y', build(...values)]]) })
})
const models = [...caseModels, ...files.map((file) => readModel(file, external))]
const operators = [
  ...gradientRules.keys(),
  ...decompositions.keys(),
  'Range',
  'ConstantOfShape',
  'Shape',
  'Bernoulli',
]

function floats(shape: readonly number[]): Tensor<'float32'> {
  const data = new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(0.5)
  return { type: 'float32', shape, data }
}

const integer = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 9 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(2 ** 16, 2 ** 20, 2 ** 24, 2 ** 31, Number.MAX_SAFE_INTEGER),
  },
)
const shape = fc.array(fc.nat(4), { maxLength: 5 })
const text = fc.oneof(
  fc.constantFrom('SAME_UPPER', 'VALID', 'linear', 'cubic', 'nearest', 'ceil', 'reflect', 'tanh'),
  fc.string({ maxLength: 8 }),
)
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  integer,
  fc.array(integer, { maxLength: 8 }),
  text,
  fc.double().map((float) => ({ float })),
  shape.map((lengths) => ({ tensor: floats(lengths) })),
)
/** Names of attributes that operators read. */
const attributeName = fc.constantFrom(
  ...new Set(models.flatMap(({ nodes }) => nodes.flatMap((node) => [...node.attributes.keys()]))),
)

/** A change of a model: of the item that a position selects. */
type Change = (model: Model, at: number) => Model

const pick = <T>(list: readonly T[], at: number): T | undefined =>
  list[Math.floor(at * list.length)]

const changeNode =
  (change: (node: Node, model: Model) => Node): Change =>
  (model, at) => {
    const chosen = pick(model.nodes, at)
    const nodes = model.nodes.map((node) => (node === chosen ? change(node, model) : node))
    return { ...model, nodes }
  }

const changeTensor =
  (
    isChosen: (
      tensor: Model['initializers'] extends ReadonlyMap<string, infer T> ? T : never,
    ) => boolean,
    change: (tensor: Tensor) => Tensor,
  ): Change =>
  (model, at) => {
    const chosen = pick(
      [...model.initializers].filter(([, tensor]) => isChosen(tensor)),
      at,
    )
    if (chosen === undefined || chosen[1].type === 'opaque') return model
    const changed = change(chosen[1])
    return { ...model, initializers: new Map([...model.initializers, [chosen[0], changed]]) }
  }

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(attributeName, attribute, position).map(([name, value, which]) =>
    changeNode((node) => {
      const own = pick([...node.attributes.keys()], which)
      return { ...node, attributes: new Map([...node.attributes, [own ?? name, value]]) }
    }),
  ),
  fc
    .tuple(attributeName, attribute)
    .map(([name, value]) =>
      changeNode((node) => ({ ...node, attributes: new Map([...node.attributes, [name, value]]) })),
    ),
  fc.constantFrom(...operators).map((operator) => changeNode((node) => ({ ...node, operator }))),
  fc.tuple(fc.nat(4), position, fc.nat(3)).map(([input, which, kind]) =>
    changeNode((node, model) => {
      const all = [...model.initializers.keys(), ...model.nodes.flatMap(({ outputs }) => outputs)]
      const name = kind === 0 ? '' : (pick(all, which) ?? '')
      if (kind === 1) return { ...node, inputs: node.inputs.slice(0, input) }
      return { ...node, inputs: [...node.inputs, '', '', '', '', ''].slice(0, 5).with(input, name) }
    }),
  ),
  fc.array(integer, { maxLength: 6 }).map((values) =>
    changeTensor(
      ({ type }) => type === 'int64',
      () => ({
        type: 'int64',
        shape: [values.length],
        data: BigInt64Array.from(values, BigInt),
      }),
    ),
  ),
  fc.tuple(integer, position).map(([value, which]) =>
    changeTensor(
      ({ type }) => type === 'int64',
      ({ shape: lengths, data }) => ({
        type: 'int64',
        shape: lengths,
        data: BigInt64Array.from(Array.from<number | bigint>(data), (element, i) =>
          BigInt(i === Math.floor(which * data.length) ? value : element),
        ),
      }),
    ),
  ),
  shape.map((lengths) =>
    changeTensor(
      ({ type }) => type === 'float32',
      () => floats(lengths),
    ),
  ),
  fc.tuple(integer, fc.nat(3)).map(
    ([size, axis]): Change =>
      (model, at) => {
        const chosen = pick(model.inputs, at)
        const inputs = model.inputs.map((input) =>
          input === chosen && input.shape && axis < input.shape.length
            ? { ...input, shape: input.shape.with(axis, size) }
            : input,
        )
        return { ...model, inputs }
      },
  ),
)

const changed = fc
  .tuple(
    fc.constantFrom(...models),
    fc.array(fc.tuple(change, position), { minLength: 1, maxLength: 4 }),
  )
  .map(([model, changes]) => changes.reduce((next, [apply, at]) => apply(next, at), model))

/** The elements of a model's inputs and weights. */
const elementsOf = ({ inputs, initializers }: Model): number =>
  [
    ...inputs.map(({ shape: lengths = [] }) => lengths.map(Number).filter((size) => size > 0)),
    ...[...initializers.values()].map((x) => (x.type === 'opaque' ? [] : x.shape)),
  ].reduce((sum, lengths) => sum + lengths.reduce((n, size) => n * size, 1), 0)

const options = fc.record({
  lowering: fc.constantFrom(cpuLowering, referenceLowering, {
    ...cpuLowering,
    operators: 'plain' as const,
  }),
  mode: fc.constantFrom('train' as const, 'evaluate' as const),
})
const lossOf = ({ outputs }: Model): Loss => meanSquaredError({ output: outputs[0]?.name ?? '' })

test(
  'a changed model is differentiated or rejected with an OnnxError, in memory of its own order',
  () => {
    const { run, finish } = attempts()
    fc.assert(
      fc.property(changed, options, (model, how) =>
        run(
          () => {
            const loss = lossOf(model)
            const dimensions = dimensionsOf(model)
            writeModel(gradientModel(model, { loss, dimensions, ...how }).model)
            readModel(writeModel(inferenceModel(model)), external)
          },
          64 * 2 ** 20 + 512 * elementsOf(model),
        ),
      ),
      budget(2000),
    )
    finish('models')
  },
  1000 * seconds + 60_000,
)
