import type { Hyperparameters } from '@diffgrad/core'
import { TrainerError } from '../error.ts'
import type { Runtime, Tensors } from '../runtime.ts'
import type { Update } from '../update/update.ts'

/** What a runtime says of a node that its provider took and then could not run. */
const failed = /running (?<operator>\w+) node\. Name:'(?<node>[^']*)' Status Message: (?<why>.*)/

/**
 * Runs a step on zeros and drops what it gives. A provider may take a node that it cannot run: it
 * is told here, and not when training is under way.
 *
 * @throws {TrainerError} Naming the operator, its node and the providers.
 */
export async function warmUp<O extends Hyperparameters>(
  runtime: Runtime,
  update: Update<O>,
  providers: readonly string[],
): Promise<void> {
  const computed = new Error('computed, and not to be taken')
  try {
    await update.step({
      feeds: { ...zeros(runtime, update), ...update.weights },
      outputs: [],
      edges: undefined,
      judge: () => Promise.reject(computed),
    })
  } catch (cause) {
    if (cause === computed) return
    const message = cause instanceof Error ? cause.message : `${cause}`
    const { operator, node, why } = message.match(failed)?.groups ?? {}
    const complaint = operator ? `cannot run ${operator}, as "${node}" needs it: ${why}` : message
    throw new TrainerError(`provider ${providers.join(', ')}: ${complaint}`, { cause })
  }
}

function zeros<O extends Hyperparameters>(
  { Tensor }: Runtime,
  { model, weights }: Update<O>,
): Tensors {
  const inputs = model.inputs.filter(({ name }) => !(name in weights))
  return Object.fromEntries(
    inputs.map(({ name, type = 'float32', shape = [] }) => {
      // The sizes of a gradient model are settled.
      const dims = shape.map(Number)
      const count = dims.reduce((product, size) => product * size, 1)
      return [name, new Tensor(type, new Array<number>(count).fill(0), dims)]
    }),
  )
}
