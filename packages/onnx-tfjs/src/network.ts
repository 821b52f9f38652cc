import {
  initializerRoles,
  isFrozenNormalization,
  isOperator,
  type Model,
  type Tensor as ModelTensor,
  type Node,
  type OpaqueTensor,
} from '@diffgrad/onnx'
import {
  dispose,
  keep,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
  tensor,
  type Variable,
  variable,
  variableGrads,
} from '@tensorflow/tfjs-core'
import { LayoutTensor } from './layout-tensor.ts'
import { NodeContext, type RunState } from './node-context.ts'
import { operatorOf } from './operators.ts'

/** The results of a run. */
export interface NetworkOutputs {
  /** By name, with the axes of ONNX. */
  readonly outputs: NamedTensorMap
  /** The next values of the running statistics, by name; empty in evaluation mode. */
  readonly next: NamedTensorMap
}

/** The results of a run with gradients. The caller disposes of all tensors. */
export interface NetworkGradients extends NetworkOutputs {
  readonly loss: Scalar
  /** By the names of parameters. */
  readonly gradients: NamedTensorMap
}

/**
 * An ONNX model as a function that TensorFlow.js can differentiate. Its weights are variables with the
 * names and shapes of the model's initializers.
 */
export class Network {
  readonly parameters: ReadonlyMap<string, Variable>
  /** Parameters that stay fixed, and the running statistics of frozen normalizations. */
  readonly frozen: ReadonlyMap<string, Variable>
  /** The running statistics that training updates. */
  readonly statistics: ReadonlyMap<string, Variable>
  readonly #model: Model
  readonly #frozenPatterns: readonly RegExp[]
  /** Constants that are float32, and all others as numbers. */
  readonly #tensors: ReadonlyMap<string, Tensor>
  readonly #constants: ReadonlyMap<string, readonly number[]>

  /**
   * @param frozen - matches names of parameters to keep fixed. A normalization whose scale is frozen
   *   normalizes by its running statistics in training too, and keeps them.
   * @throws {OnnxError} Naming a node whose operator is not supported.
   * @throws Error naming a variable of the same name that exists already.
   */
  constructor(model: Model, frozen: readonly RegExp[] = []) {
    for (const node of model.nodes) operatorOf(node)
    const roles = initializerRoles(model, frozen)
    this.#model = model
    this.#frozenPatterns = frozen
    this.parameters = variablesOf(roles.parameters, true)
    this.statistics = variablesOf(roles.statistics, false)
    this.frozen = variablesOf(roles.frozen, false)
    this.#tensors = tensorsOf(roles.constants)
    this.#constants = numbersOf(roles.constants)
  }

  /** The weights that training changes: parameters and running statistics. */
  get trained(): ReadonlyMap<string, Variable> {
    return new Map([...this.parameters, ...this.statistics])
  }

  /**
   * Computes the outputs for inputs with the axes of ONNX. Call it inside `tidy`, which disposes of
   * the intermediate tensors.
   */
  run(inputs: NamedTensorMap, mode: 'train' | 'evaluate'): NetworkOutputs {
    const initial: [string, Tensor][] = [
      ...Object.entries(inputs),
      ...this.trained,
      ...this.frozen,
      ...this.#tensors,
    ]
    const values = new Map(initial.map(([name, tensor]) => [name, LayoutTensor.onnx(tensor)]))
    const next = new Map<string, Tensor>()
    const usesBatchStatistics = (node: Node): boolean =>
      mode === 'train' &&
      isOperator(node, 'BatchNormalization') &&
      !isFrozenNormalization(node, this.#frozenPatterns)
    const state: RunState = { values, constants: this.#constants, usesBatchStatistics, next }
    for (const node of this.#model.nodes)
      values.set(node.outputs[0], operatorOf(node)(new NodeContext(node, state)))
    const outputs = this.#model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value.onnx] as const] : []
    })
    return { outputs: Object.fromEntries(outputs), next: Object.fromEntries(next) }
  }

  /**
   * Runs the network in training mode and differentiates a loss with respect to the parameters.
   *
   * @param inputs - creates the inputs, which are disposed of.
   */
  differentiate(
    inputs: () => NamedTensorMap,
    loss: (outputs: NamedTensorMap) => Scalar,
  ): NetworkGradients {
    let outputs: NamedTensorMap = {}
    let next: NamedTensorMap = {}
    const { value, grads } = variableGrads(() => {
      const results = this.run(inputs(), 'train')
      outputs = keepAll(results.outputs)
      next = keepAll(results.next)
      return loss(outputs)
    }, [...this.parameters.values()])
    return { loss: value, gradients: grads, outputs, next }
  }

  /** Assigns the next values of the running statistics. */
  updateStatistics(next: NamedTensorMap): void {
    for (const [name, tensor] of Object.entries(next)) this.statistics.get(name)?.assign(tensor)
  }

  dispose(): void {
    dispose([...this.trained.values(), ...this.frozen.values(), ...this.#tensors.values()])
  }
}

const keepAll = (tensors: NamedTensorMap): NamedTensorMap =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, keep(tensor)]))

function variablesOf(
  initializers: ReadonlyMap<string, ModelTensor<'float32'>>,
  trainable: boolean,
): ReadonlyMap<string, Variable> {
  return new Map(
    [...initializers].map(([name, { data, shape }]) => {
      const initial = tensor(data, [...shape])
      const created = variable(initial, trainable, name)
      initial.dispose()
      return [name, created]
    }),
  )
}

type Constants = ReadonlyMap<string, ModelTensor | OpaqueTensor>

const tensorsOf = (constants: Constants): ReadonlyMap<string, Tensor> =>
  new Map(
    [...constants].flatMap(([name, constant]) =>
      constant.type !== 'opaque' && constant.data instanceof Float32Array
        ? [[name, keep(tensor(constant.data, [...constant.shape]))] as const]
        : [],
    ),
  )

const numbersOf = (constants: Constants): ReadonlyMap<string, readonly number[]> =>
  new Map(
    [...constants].flatMap(([name, constant]) =>
      constant.type !== 'opaque' && !(constant.data instanceof Float32Array)
        ? [[name, Array.from(constant.data, Number)] as const]
        : [],
    ),
  )
