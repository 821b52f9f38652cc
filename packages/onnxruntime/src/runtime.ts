import { channelBlockProbe, type Lowering, type Model, writeModel } from '@diffgrad/onnx'
import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor,
  TensorConstructor,
} from 'onnxruntime-common'
import { TrainerError } from './errors.ts'

/** The parts of `onnxruntime-node` or `onnxruntime-web` that a trainer uses: pass the whole module. */
export interface Runtime {
  readonly InferenceSession: InferenceSessionFactory
  readonly Tensor: TensorConstructor
}

/** Options of ONNX Runtime's sessions: execution providers, threads and the like. */
export type SessionOptions = InferenceSession.SessionOptions

/** Tensors by the names of inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>

/** The names of the requested execution providers, in order of preference. */
const providersOf = ({ executionProviders = [] }: SessionOptions): readonly string[] =>
  executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name))

/** The requested execution providers other than the CPU's own, `cpu` in Node and `wasm` in browsers. */
export const acceleratorsOf = (options: SessionOptions): readonly string[] =>
  providersOf(options).filter((name) => name !== 'cpu' && name !== 'wasm')

/** Whether the first provider can leave outputs on its device, and take them as the inputs of the next run. */
export const keepsOutputsOnDevice = (options: SessionOptions): boolean =>
  providersOf(options)[0] === 'webgpu'

/** The messages of Dawn, Vulkan, Direct3D and browsers when a graphics card was reset or removed. */
const lostDevice = /device[^.]*lost|lost[^.]*device|device_(removed|reset|hung)/i

/**
 * Runs a session.
 *
 * @throws {TrainerError} If the device was lost, with what the user can do.
 */
export async function runSession(
  session: InferenceSession,
  feeds: Tensors,
  fetches?: InferenceSession.FetchesType,
): Promise<Tensors> {
  try {
    return await (fetches ? session.run(feeds, fetches) : session.run(feeds))
  } catch (cause) {
    const message = messageOf(cause)
    if (!lostDevice.test(message)) throw cause
    throw new TrainerError(
      `the device was lost (${message}), and with it what lay on it; create a new trainer and load the last checkpoint`,
      { cause },
    )
  }
}

/**
 * The lowering with which a `Trainer` builds its models: what suits the runtime and the providers of the
 * session, and what is chosen instead. WebGPU has no BatchNormalization in training mode; the blocked layout
 * is the CPU provider's own.
 *
 * @throws {TrainerError} If `chosen` has blocks of another size than the runtime: results would be wrong.
 */
export async function loweringFor(
  runtime: Runtime,
  options: SessionOptions = {},
  chosen: Partial<Lowering> = {},
): Promise<Partial<Lowering>> {
  const isAccelerated = acceleratorsOf(options).length > 0
  const channelBlock = isAccelerated ? 0 : await channelBlockOf(runtime)
  if (chosen.channelBlock && chosen.channelBlock !== channelBlock)
    throw new TrainerError(
      `lowering.channelBlock must be ${channelBlock === 0 ? '' : `${channelBlock} or `}0 on this runtime, but is ${chosen.channelBlock}`,
    )
  const isPlain = providersOf(options).includes('webgpu')
  return { channelBlock, ...(isPlain && { operators: 'plain', productUpTo: 0 }), ...chosen }
}

/** Probed block sizes: a runtime has one, 16 on processors with AVX-512, and 8 on others. */
const channelBlocks = new WeakMap<object, Promise<number>>()

/** The channels per block of the CPU provider's blocked layout; 0 if the runtime has none. */
function channelBlockOf({ InferenceSession, Tensor }: Runtime): Promise<number> {
  const probed = channelBlocks.get(InferenceSession)
  if (probed) return probed
  const probe = async (): Promise<number> => {
    try {
      const session = await InferenceSession.create(writeModel(channelBlockProbe), {
        logSeverityLevel: 4,
      })
      const x = new Tensor(
        'float32',
        Float32Array.from({ length: 128 }, (_, i) => i),
        [1, 64, 1, 2],
      )
      const { y } = await session.run({ x })
      await session.release()
      const block = y?.data instanceof Float32Array ? y.data.indexOf(1) : 0
      return block > 1 ? block : 0 // Processors without the layout have blocks of 1.
    } catch {
      return 0
    }
  }
  const block = probe()
  channelBlocks.set(InferenceSession, block)
  return block
}

/**
 * Threads sleep while they wait for work, so that an idle trainer takes no CPU time. Without memory
 * patterns, 20 % less memory is resident (XResNet-18, 64 px, batch 32: 680 MB instead of 850 MB) at
 * the same speed.
 */
const defaultSessionOptions: SessionOptions = {
  logSeverityLevel: 3,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
}

/**
 * Options in which WebGPU keeps the layout of ONNX, unless they choose one: its default, NHWC, needs
 * transposes, which took 9 % of a train step of XResNet-18 on an H100.
 */
const withLayout = (options: SessionOptions): SessionOptions =>
  options.executionProviders === undefined
    ? options
    : {
        ...options,
        executionProviders: options.executionProviders.map((provider) => {
          const named = typeof provider === 'string' ? { name: provider } : provider
          return named.name === 'webgpu' ? { preferredLayout: 'NCHW', ...named } : provider
        }),
      }

/**
 * Creates a session for a model. `options` override the default session options.
 *
 * @throws {TrainerError} If the runtime or its provider lacks an operator of the model, or the provider
 *   finds no device.
 */
export async function createSession(
  { InferenceSession }: Runtime,
  model: Model,
  options: SessionOptions = {},
): Promise<InferenceSession> {
  try {
    // The runtime's weights and batches are float32, also if the file has half precision.
    const { origin: _, ...widened } = model
    const bytes = writeModel(widened)
    return await InferenceSession.create(bytes, {
      ...defaultSessionOptions,
      ...withLayout(options),
    })
  } catch (cause) {
    throw new TrainerError(sessionError(model, options, messageOf(cause)), { cause })
  }
}

/** The text of anything that was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : `${error}`

/** ONNX Runtime's messages about an operator that it or its provider lacks. */
const missingOperator =
  /implementation for (?<operator>[\w.:]+)\(\d+\) node with name '(?<node>[^']*)'|(?<unknown>[\w.]*:?\w+)\(-?\d+\) is not a registered function/

/** The messages of onnxruntime-node and onnxruntime-web when WebGPU finds no adapter. */
const missingAdapter = /Failed to get (?:a WebGPU|GPU) adapter(?:: (?<reason>[^\n]*))?/

function sessionError({ name }: Model, options: SessionOptions, message: string): string {
  const adapter = message.match(missingAdapter)
  if (adapter) return adapterError(adapter.groups?.reason)
  const { operator, node, unknown } = message.match(missingOperator)?.groups ?? {}
  const complaint = operator
    ? `it has no operator ${operator}, which "${node}" needs`
    : unknown
      ? `it has no operator ${unknown}`
      : message
  const runtime = ['runtime', ...providersOf(options)].join(', ')
  return `${runtime}: cannot run model "${name}": ${complaint}`
}

const adapterError = (reason = 'no reason given'): string =>
  `provider webgpu: must find a GPU adapter, but there is none (${reason}); ${adapterRemedy()}, or leave executionProviders out to train on the CPU`

function adapterRemedy(): string {
  if (!globalThis.process?.versions?.node) return 'enable WebGPU in the browser'
  const driver = 'install the Vulkan, Metal or Direct3D 12 driver of a GPU'
  return globalThis.process.platform === 'linux'
    ? `${driver}, or chromium, whose software driver is used with VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json and LD_LIBRARY_PATH=/usr/lib/chromium`
    : driver
}

/** The elements of a float32 tensor, not copied. */
export function float32Data(tensors: Tensors, name: string): Float32Array {
  const data = tensors[name]?.data
  if (data instanceof Float32Array) return data
  throw new TrainerError(`output "${name}": must be float32, but is ${tensors[name]?.type}`)
}

/** The element of a float32 scalar. */
export const float32Scalar = (tensors: Tensors, name: string): number =>
  float32Data(tensors, name)[0]
