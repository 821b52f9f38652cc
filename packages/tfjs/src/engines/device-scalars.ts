import type { Values } from '@diffgrad/core'
import { dispose, keep, type Tensor } from '@tensorflow/tfjs-core'

/** The scalar state of a parameter after a step, on the device. */
interface ScalarTensors {
  /** The object whose numbers `read` sets. */
  readonly scalars: Record<string, number>
  readonly tensors: Values<Tensor>
  isRead: boolean
}

/**
 * Scalar state that depends on sums, on a device whose numbers cannot be read at once. Core knows it as an object of
 * numbers, which are NaN until they are read.
 */
export class DeviceScalars {
  readonly #byParameter = new Map<Tensor, ScalarTensors>()

  /** Whether there are numbers that must be read. */
  get isUnread(): boolean {
    return [...this.#byParameter.values()].some(({ isRead }) => !isRead)
  }

  /** The tensors of the scalar state of a parameter; none if it was loaded or is that of another device. */
  of(parameter: Tensor, scalars: Values<number>): Values<Tensor> {
    const known = this.#byParameter.get(parameter)
    return known?.scalars === scalars ? known.tensors : {}
  }

  /** Keeps the next scalar state of a parameter, and returns the object of its numbers. */
  replace(parameter: Tensor, tensors: Values<Tensor>): Values<number> {
    const scalars = Object.fromEntries(Object.keys(tensors).map((name) => [name, Number.NaN]))
    for (const tensor of Object.values(tensors)) keep(tensor)
    this.free([parameter])
    this.#byParameter.set(parameter, { scalars, tensors, isRead: false })
    return scalars
  }

  /** Sets the numbers of all scalar state, also of steps that are taken meanwhile. */
  async read(): Promise<void> {
    while (this.isUnread) {
      const all = [...this.#byParameter.values()].filter(({ isRead }) => !isRead)
      const reads = all.map(async (one) => {
        const entries = Object.entries(one.tensors).map(async ([name, tensor]) => {
          one.scalars[name] = (await tensor.data())[0]
        })
        await Promise.all(entries)
        one.isRead = true
      })
      await Promise.all(reads)
    }
  }

  /** Disposes of the scalar state of parameters. */
  free(parameters: Iterable<Tensor>): void {
    for (const parameter of parameters) {
      dispose({ ...this.#byParameter.get(parameter)?.tensors })
      this.#byParameter.delete(parameter)
    }
  }

  dispose(): void {
    this.free([...this.#byParameter.keys()])
  }
}
