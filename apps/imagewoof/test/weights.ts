import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** All bytes of a checkpoint's tensors, weights and memory; not its notes, which have times in them. */
export function tensorsOf(run: string, which = 'last'): string {
  const file = readFileSync(join(run, `${which}.safetensors`))
  return file.subarray(8 + Number(file.readBigUInt64LE())).toString('base64')
}

/** What a run has seen. */
export const historyOf = (run: string) =>
  JSON.parse(readFileSync(join(run, 'history.json'), 'utf8')) as {
    readonly losses: readonly number[]
    readonly epochs: readonly { readonly top1: number; readonly validationLoss: number }[]
    readonly friction: readonly unknown[]
  }
