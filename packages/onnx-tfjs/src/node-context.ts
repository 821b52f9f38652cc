import { AttributeReader, type Node } from '@diffgrad/onnx'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { LayoutTensor } from './layout-tensor.ts'

/** The state of one run of a network. */
export interface RunState {
  /** The values computed so far, by name. */
  readonly values: ReadonlyMap<string, LayoutTensor>
  /** The model's constants that are not float32, as numbers. */
  readonly constants: ReadonlyMap<string, readonly number[]>
  /** Whether a BatchNormalization normalizes by the statistics of the batch. */
  readonly usesBatchStatistics: (node: Node) => boolean
  /** The next values of running statistics, which operators add. */
  readonly next: Map<string, Tensor>
}

/** Computes the output of a node from its inputs and attributes. */
export type Operator = (node: NodeContext) => LayoutTensor

/** The inputs and attributes of a node in one run. */
export class NodeContext extends AttributeReader {
  /** Whether a BatchNormalization normalizes by the statistics of the batch. */
  readonly usesBatchStatistics: boolean
  readonly #inputs: readonly string[]
  readonly #run: RunState

  constructor(node: Node, run: RunState) {
    super(node)
    this.usesBatchStatistics = run.usesBatchStatistics(node)
    this.#inputs = node.inputs
    this.#run = run
  }

  /** @throws {OnnxError} If the input is absent or no float32 tensor. */
  input(index: number): LayoutTensor {
    const value = this.optionalInput(index)
    if (value) return value
    throw this.error(`TensorFlow.js needs input ${index} as a float32 tensor`)
  }

  optionalInput(index: number): LayoutTensor | undefined {
    return this.#run.values.get(this.#inputs[index])
  }

  /** @throws {OnnxError} If the input is not a constant of the model. */
  constantInput(index: number): readonly number[] {
    const numbers = this.#run.constants.get(this.#inputs[index])
    if (numbers) return numbers
    throw this.error(`TensorFlow.js needs input ${index} as a constant`)
  }

  /** Sets the next value of a running statistic, which is an input of the node. */
  setNext(index: number, value: Tensor): void {
    this.#run.next.set(this.#inputs[index], value)
  }

  /** @throws {OnnxError} If a property of the node is not the only one that TensorFlow.js supports. */
  require(property: string, supported: number | string, actual: number | string): void {
    if (actual !== supported)
      throw this.error(`TensorFlow.js needs ${property} ${supported}, but it is ${actual}`)
  }
}
