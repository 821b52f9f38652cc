import type { Model } from '@diffgrad/onnx'
import { dispose, type Tensor, tensor, type Variable, variable } from '@tensorflow/tfjs-core'
import { Application, type Operator, type Run } from './operator.ts'
import * as operators from './operators/index.ts'
import { Value } from './value.ts'

/** What a run gave. */
export interface Outputs {
  /** With the axes of ONNX. */
  readonly outputs: ReadonlyMap<string, Tensor>
  /** What running statistics become when the step is taken: none but in training. */
  readonly next: ReadonlyMap<string, Tensor>
}

/**
 * An ONNX model as a function of tensors, which TensorFlow.js can differentiate. Its weights are
 * variables of their names and shapes, as the model has them.
 */
export class Network {
  readonly #model: Model
  readonly #integers: ReadonlyMap<string, readonly number[]>
  /** What can be trained. */
  readonly parameters: ReadonlyMap<string, Variable>
  /** Running statistics, which move by themselves. */
  readonly statistics: ReadonlyMap<string, Variable>

  /**
   * @throws Error naming an operator that it does not know, or a variable of the same name that
   *   exists already.
   */
  constructor(model: Model) {
    for (const { operator } of model.nodes) operatorOf(operator)
    this.#model = model
    const running = new Set(
      model.nodes.flatMap(({ operator, inputs }) =>
        operator === 'BatchNormalization' ? inputs.slice(3, 5) : [],
      ),
    )
    const integers = new Map<string, readonly number[]>()
    const variables: [string, Variable][] = []
    for (const [name, initial] of model.initializers) {
      if (initial.type === 'opaque') continue
      if (initial.data instanceof Float32Array) {
        const start = tensor(initial.data, [...initial.shape])
        variables.push([name, variable(start, !running.has(name), name)])
        start.dispose()
      } else {
        integers.set(name, Array.from(initial.data, Number))
      }
    }
    this.#integers = integers
    this.parameters = new Map(variables.filter(([name]) => !running.has(name)))
    this.statistics = new Map(variables.filter(([name]) => running.has(name)))
  }

  /** Parameters and running statistics. */
  get weights(): ReadonlyMap<string, Variable> {
    return new Map([...this.parameters, ...this.statistics])
  }

  /** Computes the outputs. Everything in between is left to the caller's `tidy`. */
  run(inputs: Readonly<Record<string, Tensor>>, training: boolean): Outputs {
    const given: [string, Tensor][] = [...Object.entries(inputs), ...this.weights]
    const values = new Map(given.map(([name, tensor]) => [name, Value.of(tensor)]))
    const next = new Map<string, Tensor>()
    const run: Run = { values, integers: this.#integers, training, next }
    for (const node of this.#model.nodes) {
      values.set(node.outputs[0], operatorOf(node.operator)(new Application(node, run)))
    }
    const outputs = this.#model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value.onnx] as const] : []
    })
    return { outputs: new Map(outputs), next }
  }

  dispose(): void {
    dispose([...this.weights.values()])
  }
}

const known: Readonly<Record<string, Operator>> = operators

function operatorOf(name: string): Operator {
  const operator = known[name]
  if (operator) return operator
  throw new Error(`TensorFlow.js: the operator ${name} is not known`)
}
