import { fileURLToPath } from 'node:url'
import { type Command, findPyTorch, scriptCommand } from '../child-process.ts'
import type { Workload } from './workloads.ts'

/** An optimizer of a library, and the command that runs it in a process. */
interface Peer {
  readonly name: string
  command(workload: Workload): Command
}

const resolve = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const nodePeers = (module: string, names: readonly string[]): readonly Peer[] =>
  names.map((name) => ({
    name,
    command: (workload) => scriptCommand(resolve('run-peer.ts'), module, name, workload.name),
  }))

/** With these, glibc keeps the memory of temporaries instead of returning it to the kernel at every step. */
const tunedAllocator = ['MALLOC_MMAP_MAX_=0', 'MALLOC_TRIM_THRESHOLD_=4294967296']

/** The name of an optimizer of PyTorch whose allocator is tuned. */
export const tuned = (name: string): string => `${name}, tuned allocator`

function torchPeers(names: readonly string[]): readonly Peer[] {
  const python = findPyTorch()
  if (python === undefined) return []
  const commandOf = (name: string, { sizes }: Workload): Command => [
    python,
    resolve('pytorch.py'),
    name,
    JSON.stringify(sizes),
  ]
  return names.flatMap((name): readonly Peer[] => {
    const untuned = { name, command: (workload: Workload) => commandOf(name, workload) }
    if (process.platform !== 'linux') return [untuned]
    const command = (workload: Workload): Command => [
      'env',
      ...tunedAllocator,
      ...commandOf(name, workload),
    ]
    return [untuned, { name: tuned(name), command }]
  })
}

/** All optimizers that this machine can run. */
export const findPeers = (): readonly Peer[] => [
  ...nodePeers('diffgrad', [
    'touch (WASM)',
    'diffGrad (WASM)',
    'diffGrad (WASM, relaxed)',
    'diffGrad (WASM, 2 threads)',
    'diffGrad (WASM, own arrays)',
    'diffGrad (JavaScript)',
    'DiffMod (WASM)',
    'DiffRGrad (WASM)',
    'Adam (WASM)',
    'Adam (JavaScript)',
  ]),
  ...nodePeers('tfjs', ['tf.train.adam (wasm)', 'tf.train.adam (cpu)']),
  ...nodePeers('jax', ['jax-js Adam (jit, wasm)']),
  ...torchPeers(['torch.optim.Adam', 'torch.optim.Adam (foreach)', 'torch diffGrad (eager)']),
]
