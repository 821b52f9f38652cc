import { spawnSync } from 'node:child_process'
import { type AdapterSearch, findAdapter } from '@diffgrad/onnx-tfjs/adapter'
import { Failure } from './failure.ts'

/** Where ONNX Runtime computes: on the CPU, or on a graphics card through WebGPU or CUDA. */
export type Provider = 'cpu' | 'webgpu' | 'cuda'

/** The values of `--provider`. */
export const providerChoices = ['cpu', 'webgpu', 'cuda', 'auto'] as const

/** A provider, or the search for one. */
export type ProviderChoice = (typeof providerChoices)[number]

/** What of this machine trains a run. It is no part of a plan. */
export interface Machine {
  /** Where ONNX Runtime computes; default `cpu`. */
  readonly provider?: Provider | undefined
  /** Threads of ONNX Runtime, if they are not those of the configuration. */
  readonly threads?: number | undefined
  /** Where the data lies, if not at the path in the configuration. */
  readonly dataPath?: string | undefined
}

/** The arguments of `resume` that select a machine's provider, threads and data path. */
export const machineArguments = ({
  provider = 'cpu',
  threads,
  dataPath,
}: Machine): readonly string[] => [
  ...(provider === 'cpu' ? [] : ['--provider', provider]),
  ...(threads === undefined ? [] : ['--threads', `${threads}`]),
  ...(dataPath === undefined ? [] : ['--data', dataPath]),
]

/** A provider, and a line that says what was found and chosen. */
export interface ChosenProvider {
  readonly provider: Provider
  readonly line: string
}

/** What this machine has. Each search starts a process. */
export interface ProviderSearch {
  findAdapter(): AdapterSearch
  /** Why ONNX Runtime cannot compute on a provider; undefined if it can. */
  sessionFailure(provider: Provider): string | undefined
}

/**
 * Chooses the provider that the user asked for. `auto` is a graphics card through WebGPU, on which the
 * weights stay; else one through CUDA; else the CPU. It is never a software adapter.
 *
 * @throws {Failure} If the provider is missing, saying what to install.
 */
export function chooseProvider(
  choice: ProviderChoice,
  search: ProviderSearch = { findAdapter, sessionFailure },
): ChosenProvider {
  if (choice === 'cpu') return { provider: 'cpu', line: 'provider cpu' }
  if (choice === 'cuda') {
    const failure = search.sessionFailure('cuda')
    if (failure === undefined) return { provider: 'cuda', line: 'provider cuda' }
    throw new Failure(`--provider cuda: ${failure}; ${cudaRemedy}`)
  }
  const { adapter, missing } = search.findAdapter()
  const failure = adapter ? search.sessionFailure('webgpu') : missing
  if (choice === 'webgpu') {
    if (failure !== undefined || !adapter)
      throw new Failure(`--provider webgpu: no graphics card was found (${failure}); ${remedy()}`)
    const note = adapter.isSoftware ? ', which is software and slower than --provider cpu' : ''
    return { provider: 'webgpu', line: `provider webgpu: ${adapter.name}${note}` }
  }
  if (adapter && !adapter.isSoftware && failure === undefined)
    return { provider: 'webgpu', line: `provider auto: found ${adapter.name}; chose webgpu` }
  const found =
    adapter && failure === undefined
      ? `${adapter.name}, which is software`
      : `no graphics card for WebGPU (${failure})`
  return search.sessionFailure('cuda') === undefined
    ? { provider: 'cuda', line: `provider auto: found ${found}, and CUDA; chose cuda` }
    : { provider: 'cpu', line: `provider auto: found ${found}; chose cpu` }
}

const cudaRemedy =
  'install CUDA 12, cuDNN 9 and the libraries of onnxruntime-node for them, by node apps/imagewoof/node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12; or choose --provider webgpu, which needs the driver of the card only'

/** What to install where WebGPU finds no adapter. */
function remedy(): string {
  const otherwise = 'or leave --provider out to use the CPU'
  return process.platform === 'linux'
    ? `install the Vulkan loader and the Vulkan driver of the card: on Debian and Ubuntu libvulkan1 with mesa-vulkan-drivers (AMD, Intel) or nvidia-driver (NVIDIA), where vulkaninfo --summary lists what is found; ${otherwise}`
    : `install the driver of the card; ${otherwise}`
}

/** An ONNX model: y = −x for one float32. */
const negation = 'CAhCAhANOjIKCwoBeBIBeSIDTmVnEgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAQ=='

/** Computes in another process, because a missing or broken driver may print warnings or crash. */
function sessionFailure(provider: Provider): string | undefined {
  const program = `
    import ort from '${import.meta.resolve('onnxruntime-node')}'
    try {
      const model = Buffer.from('${negation}', 'base64')
      const options = { executionProviders: ['${provider}'], logSeverityLevel: 4 }
      const session = await ort.InferenceSession.create(model, options)
      await session.run({ x: new ort.Tensor('float32', [1], [1]) })
      process.exit(0)
    } catch ({ message }) {
      process.stdout.write(message, () => process.exit(1))
    }`
  const { status, signal, stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { encoding: 'utf8' },
  )
  if (status === 0) return undefined
  // The first part of a message is a path of ONNX Runtime's sources.
  const reason = stdout
    .trim()
    .split('\n')[0]
    .replace(/^\/onnxruntime_src\S* .* was false\. /, '')
  return reason || `a test of it ended with ${signal ?? status}`
}
