import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Model, Tensor as ModelTensor } from '../../src/model/model.ts'
import { type TensorProto, TensorProtoSchema } from '../../src/model/onnx_pb.ts'
import { readModel } from '../../src/model/read.ts'
import { noExternalData, readTensor } from '../../src/model/tensor.ts'
import { writeModel } from '../../src/model/write.ts'
import { gradientVerdict } from './gradient.ts'
import { messageOf, refusal, skipped, type Verdict } from './verdict.ts'

/** What became of a case of the suite. */
export interface CaseResult {
  /** Reading the file, and writing it back. */
  readonly read: Verdict
  /** The outputs of the written file on ONNX Runtime, beside the expected ones. */
  readonly outputs: Verdict
  /** The gradients of all float32 inputs and weights, beside finite differences. */
  readonly gradients: Verdict
}

const halfType = 10

/** A tensor of the suite: for a model that was read, and for the runtime with the file's own type. */
interface SuiteTensor {
  readonly tensor: ModelTensor
  readonly feed: Tensor
}

/** Reads the inputs or outputs of a data set; undefined where one is no tensor that the runtime takes. */
function readData(folder: string, kind: 'input' | 'output'): readonly (SuiteTensor | undefined)[] {
  const files = existsSync(folder) ? readdirSync(folder) : []
  const count = files.filter((name) => name.startsWith(`${kind}_`) && name.endsWith('.pb')).length
  return Array.from({ length: count }, (_, i) => {
    try {
      return suiteTensor(
        fromBinary(TensorProtoSchema, readFileSync(join(folder, `${kind}_${i}.pb`))),
      )
    } catch {
      return undefined // A sequence or an optional value, whose message has other fields.
    }
  })
}

function suiteTensor(message: TensorProto): SuiteTensor | undefined {
  const tensor = readTensor(message, noExternalData)
  if (tensor.type === 'opaque') return undefined
  const { type, shape, data } = tensor
  if (message.dataType === halfType) {
    const bits = message.rawData.length
      ? new Uint16Array(new Uint8Array(message.rawData).buffer)
      : Uint16Array.from(message.int32Data)
    return { tensor, feed: new Tensor('float16', bits, shape) }
  }
  return type === 'float32' && message.dataType !== 1
    ? undefined // bfloat16: the runtime's JavaScript has no such tensors.
    : { tensor, feed: new Tensor(type, data, shape) }
}

const unknownToRuntime = 'the runtime cannot run the file'

const open = (bytes: Uint8Array): Promise<InferenceSession> =>
  InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 })

/** Compares an output with its expected value, to 10⁻³ of the value and 10⁻⁵ (half precision: 10⁻² and 10⁻³). */
function outputDifference(actual: Tensor | undefined, { tensor, feed }: SuiteTensor): string {
  if (actual === undefined) return 'is missing'
  if (`${actual.dims}` !== `${tensor.shape}`)
    return `has shape [${actual.dims}], not [${tensor.shape}]`
  const [relative, absolute] = feed.type === 'float16' ? [1e-2, 2e-3] : [1e-3, 1e-5]
  const [a, b] = [numbers(actual), numbers(feed)]
  const i = a.findIndex((x, k) => {
    const expected = b[k] ?? Number.NaN
    if (Object.is(x, expected) || (Number.isNaN(x) && Number.isNaN(expected))) return false
    return !(Math.abs(x - expected) <= absolute + relative * Math.abs(expected))
  })
  return i < 0 ? '' : `[${i}] is ${a[i]}, not ${b[i]}`
}

function numbers({ type, data, dims }: Tensor): readonly number[] {
  if (type !== 'float16') return Array.from(data as Iterable<number | bigint>, Number) // No strings: they are opaque.
  const message = { name: '', dataType: halfType, dims: dims.map(BigInt) }
  const bits = data as ArrayLike<number> & { readonly buffer: ArrayBufferLike }
  const raw = new Uint8Array(bits.buffer).slice()
  const { data: wide } = readTensor(
    { ...fromBinary(TensorProtoSchema, new Uint8Array()), ...message, rawData: raw },
    noExternalData,
  ) as ModelTensor
  return Array.from(wide as Float32Array)
}

/** Runs a session and compares its outputs. */
async function runAndCompare(
  session: InferenceSession,
  inputs: readonly SuiteTensor[],
  expected: readonly SuiteTensor[],
): Promise<string> {
  const feeds = Object.fromEntries(
    session.inputNames.flatMap((name, i) => {
      const feed = inputs[i]?.feed
      return feed ? [[name, feed] as const] : []
    }),
  )
  return firstDifference(await session.run(feeds), session.outputNames, expected)
}

/** The first output that differs from the expected ones; empty if none does. */
function firstDifference(
  results: InferenceSession.OnnxValueMapType,
  names: readonly string[],
  expected: readonly (SuiteTensor | undefined)[],
): string {
  for (const [i, name] of names.entries()) {
    const one = expected[i]
    const difference = one ? outputDifference(results[name], one) : ''
    if (difference) return `output "${name}" ${difference}`
  }
  return ''
}

/** Random operators have outputs that cannot be compared. */
const random = /RandomNormal|RandomUniform|Bernoulli|Multinomial|Dropout/
const isRandom = ({ nodes }: Model): boolean => nodes.some(({ operator }) => random.test(operator))

const present = (all: readonly (SuiteTensor | undefined)[]): readonly SuiteTensor[] | undefined => {
  const list = all.flatMap((one) => one ?? [])
  return list.length === all.length ? list : undefined
}

async function outputsVerdict(
  bytes: Uint8Array,
  model: Model,
  inputs: readonly SuiteTensor[],
  expected: readonly SuiteTensor[],
): Promise<Verdict> {
  if (isRandom(model)) return skipped('random')
  const written = writeModel(model)
  try {
    const difference = await runAndCompare(await open(written), inputs, expected)
    if (difference === '') return { verdict: 'right' }
    const original = await runAndCompare(await open(bytes), inputs, expected)
    return original === ''
      ? { verdict: 'wrong', reason: difference }
      : skipped('the runtime itself gives other outputs')
  } catch (error) {
    const original = await open(bytes)
      .then((session) => runAndCompare(session, inputs, expected))
      .catch(() => 'fails')
    return original === ''
      ? { verdict: 'wrong', reason: messageOf(error) }
      : skipped(unknownToRuntime)
  }
}

/** Checks one folder of the suite: a model and its first data set. */
export async function checkCase(folder: string): Promise<CaseResult> {
  const bytes = new Uint8Array(readFileSync(join(folder, 'model.onnx')))
  let model: Model
  try {
    model = readModel(bytes)
    readModel(writeModel(model))
  } catch (error) {
    const unread = skipped('not read')
    return { read: refusal(error), outputs: unread, gradients: unread }
  }
  const data = join(folder, 'test_data_set_0')
  const [inputs, expected] = [present(readData(data, 'input')), present(readData(data, 'output'))]
  const read: Verdict = { verdict: 'right' }
  if (!inputs || !expected || [...model.inputs, ...model.outputs].some(({ type }) => !type)) {
    const noTensor = skipped('inputs or outputs are no tensors of numbers')
    return { read, outputs: noTensor, gradients: noTensor }
  }
  const outputs = await outputsVerdict(bytes, model, inputs, expected)
  const gradients = await gradientVerdict(
    model,
    inputs.map(({ tensor }) => tensor),
    (results) =>
      outputs.verdict === 'right'
        ? firstDifference(
            results,
            model.outputs.map(({ name }) => name),
            // Training has its own outputs for running statistics.
            expected.map((one, i) => (results[model.outputs[i]?.name ?? ''] ? one : undefined)),
          )
        : '',
  )
  const cannotRun = outputs.reason === unknownToRuntime && gradients.verdict === 'wrong'
  return { read, outputs, gradients: cannotRun ? outputs : gradients }
}
