import type { Model } from '@diffgrad/onnx'
import {
  dispose,
  type NamedTensorMap,
  type Tensor,
  tensor,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core'
import { Application, type Operator, type Run } from './operator.ts'
import * as operators from './operators/index.ts'
import { Value } from './value.ts'

/** What a run gave. */
export interface Outputs {
  /** With the axes of ONNX. */
  readonly outputs: NamedTensorMap
  /** What running statistics become when the step is taken: none but in training. */
  readonly next: NamedTensorMap
}

/**
 * An ONNX model as a function of tensors, which TensorFlow.js can differentiate. Its weights are
 * variables of their names and shapes, as the model has them.
 */
export class Network {
  readonly #model: Model
  readonly #integers: ReadonlyMap<string, readonly number[]>
  /** What is trained. */
  readonly parameters: ReadonlyMap<string, Variable>
  /** What could be, but stays as it is. */
  readonly frozen: ReadonlyMap<string, Variable>
  /** Running statistics, which move by themselves. */
  readonly statistics: ReadonlyMap<string, Variable>

  /**
   * @param frozen - names of parameters that stay as they are; a normalization whose scale is frozen
   *   keeps its running statistics too, and normalizes by them.
   * @throws Error naming an operator that it does not know, or a variable of the same name that
   *   exists already.
   */
  constructor(model: Model, frozen: readonly RegExp[] = []) {
    for (const { operator } of model.nodes) operatorOf(operator)
    this.#model = model
    const running = new Set(
      model.nodes.flatMap(({ operator, inputs }) =>
        operator === 'BatchNormalization' ? inputs.slice(3, 5) : [],
      ),
    )
    const isFrozen = (name: string): boolean => frozen.some((pattern) => pattern.test(name))
    const integers = new Map<string, readonly number[]>()
    const [trained, still, moving] = [0, 1, 2].map(() => new Map<string, Variable>())
    for (const [name, initial] of model.initializers) {
      if (initial.type === 'opaque') continue
      if (initial.data instanceof Float32Array) {
        const start = tensor(initial.data, [...initial.shape])
        const kind = running.has(name) ? moving : isFrozen(name) ? still : trained
        kind.set(name, variable(start, kind === trained, name))
        start.dispose()
      } else {
        integers.set(name, Array.from(initial.data, Number))
      }
    }
    this.#integers = integers
    this.parameters = trained
    this.frozen = still
    this.statistics = moving
  }

  /** What a training changes. */
  get changing(): ReadonlyMap<string, Variable> {
    return new Map([...this.parameters, ...this.statistics])
  }

  /** Computes the outputs. Everything in between is left to the caller's `tidy`. */
  run(inputs: NamedTensorMap, training: boolean): Outputs {
    const given: [string, Tensor][] = [...Object.entries(inputs), ...this.changing, ...this.frozen]
    const values = new Map(given.map(([name, tensor]) => [name, Value.of(tensor)]))
    const next = new Map<string, Tensor>()
    const trained = (name: string): boolean => training && this.parameters.has(name)
    const run: Run = { values, integers: this.#integers, trained, next }
    for (const node of this.#model.nodes) {
      values.set(node.outputs[0], operatorOf(node.operator)(new Application(node, run)))
    }
    const outputs = this.#model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value.onnx] as const] : []
    })
    return { outputs: Object.fromEntries(outputs), next: Object.fromEntries(next) }
  }

  dispose(): void {
    dispose([...this.changing.values(), ...this.frozen.values()])
  }
}

const known: Readonly<Record<string, Operator>> = operators

function operatorOf(name: string): Operator {
  const operator = known[name]
  if (operator) return operator
  throw new Error(`TensorFlow.js: the operator ${name} is not known`)
}
