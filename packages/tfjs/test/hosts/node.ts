import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { judge, type Verdict } from '../judge.ts'
import { registerPlain } from '../plain.ts'

/** Judges a backend in this process: `cpu`, `wasm`, or `plain`, which nothing is known of. */
export function inNode(backend: string): Promise<readonly Verdict[]> {
  if (backend === 'plain') registerPlain()
  return judge(backend)
}
