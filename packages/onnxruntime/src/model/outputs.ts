import type { Model } from '@diffgrad/onnx'
import { TrainerError } from '../error.ts'

/**
 * Makes sure that a model has outputs of some names.
 *
 * @throws {TrainerError} Naming the first that it has not.
 */
export function mustGive(model: Model, names: readonly string[]): void {
  const known = model.outputs.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new TrainerError(`model: has no output "${unknown}"; it has ${known.join(', ')}`)
}
