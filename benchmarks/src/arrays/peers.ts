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

function torchPeers(names: readonly string[]): readonly Peer[] {
  const python = findPyTorch()
  if (python === undefined) return []
  return names.map((name) => ({
    name,
    command: ({ sizes }) => [python, resolve('pytorch.py'), name, JSON.stringify(sizes)],
  }))
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
