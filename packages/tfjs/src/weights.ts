import type { ParameterState, StateDict } from '@diffgrad/core'
import { keep, type Optimizer, scalar, type Tensor, tensor1d } from '@tensorflow/tfjs-core'

/** Tensors with names, as an optimizer's weights are saved. */
export type NamedTensors = Awaited<ReturnType<Optimizer['getWeights']>>

/** A state whose memory is in tensors. */
export type TensorState = StateDict<Tensor>

/** A state without its tensors, which are saved beside it as `<parameter>/<slot>`. */
interface Index extends Omit<TensorState, 'parameters'> {
  readonly parameters: readonly (Omit<ParameterState, 'state'> & {
    readonly name: string
    readonly slots: readonly string[]
  })[]
}

/**
 * The two tensors that go ahead of the memory in saved weights: the number of iterations, and an index.
 * They are the optimizer's, from the beginning, so that saving leaves as many tensors as there were.
 */
export class Header {
  #tensors: readonly Tensor[] = []

  /** Makes room. */
  reserve(): void {
    if (this.#tensors.length === 0) this.#replace(0, new Uint8Array(1))
  }

  /**
   * The index is JSON in UTF-8, one byte an element: a tensor of strings would make `tf.memory()` call
   * itself unreliable.
   */
  write(iterations: number, { parameters, ...position }: TensorState): NamedTensors {
    const index: Index = {
      ...position,
      parameters: Object.entries(parameters).map(([name, { step, options, state }]) => {
        return { name, step, options, slots: Object.keys(state) }
      }),
    }
    this.#replace(iterations, new TextEncoder().encode(JSON.stringify(index)))
    const [iter, state] = this.#tensors
    return [
      { name: 'iter', tensor: iter },
      { name: 'state', tensor: state },
    ]
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose()
    this.#tensors = []
  }

  #replace(iterations: number, bytes: Uint8Array): void {
    this.dispose()
    const state = tensor1d(Int32Array.from(bytes), 'int32')
    this.#tensors = [keep(scalar(iterations, 'int32')), keep(state)]
  }
}

/** The memory of a state by its names, in the order of the parameters. */
export const weightsOf = (
  { parameters }: TensorState,
  memory: (parameter: string, slot: string) => Tensor,
): NamedTensors =>
  Object.entries(parameters).flatMap(([name, state]) =>
    Object.keys(state.state).map((slot) => {
      return { name: `${name}/${slot}`, tensor: memory(name, slot) }
    }),
  )

/**
 * Reads weights: a header, and memory. The tensors of the state are those that are given.
 *
 * @throws TypeError if they are another optimizer's.
 */
export async function readWeights(
  owner: string,
  weights: NamedTensors,
): Promise<{ readonly iterations: number; readonly state: TensorState }> {
  const [iter, header, ...memory] = weights
  const refuse = (reason: string): never => {
    throw new TypeError(`${owner}: the weights are of another optimizer: ${reason}`)
  }
  if (iter?.name !== 'iter') return refuse(`the first is ${iter?.name}, not iter`)
  if (header?.name !== 'state') return refuse(`the second is ${header?.name}, not state`)
  const [[iterations], bytes] = await Promise.all([iter.tensor.data(), header.tensor.data()])
  const { parameters, ...position }: Index = JSON.parse(
    new TextDecoder().decode(Uint8Array.from(bytes)),
  )
  const tensors = new Map(memory.map(({ name, tensor }) => [name, tensor]))
  const entries = parameters.map(({ name, slots, ...rest }) => {
    const found = slots.map((slot) => {
      const path = `${name}/${slot}`
      return [slot, tensors.get(path) ?? refuse(`there is no ${path}`)]
    })
    return [name, { ...rest, state: Object.fromEntries(found) }]
  })
  return { iterations, state: { ...position, parameters: Object.fromEntries(entries) } }
}
