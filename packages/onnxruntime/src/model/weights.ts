import type { Model, Tensor } from '@diffgrad/onnx'
import { floatsOf, type Tensors } from '../runtime.ts'

/** A model that is given some of its weights anew at every run. */
export function withWeightsAsInputs(model: Model, names: ReadonlySet<string>): Model {
  const given = [...model.initializers].flatMap(([name, tensor]) =>
    names.has(name) && tensor.type !== 'opaque'
      ? [{ name, type: tensor.type, shape: tensor.shape }]
      : [],
  )
  return {
    ...model,
    inputs: [...model.inputs, ...given],
    initializers: new Map([...model.initializers].filter(([name]) => !names.has(name))),
  }
}

/** A model with some weights replaced by those of the runtime, whose memory it shares. */
export const withWeights = (model: Model, weights: Tensors): Model => ({
  ...model,
  initializers: new Map(
    [...model.initializers].map(([name, tensor]) => [
      name,
      Object.hasOwn(weights, name)
        ? { type: 'float32', shape: weights[name].dims, data: floatsOf(weights, name) }
        : tensor,
    ]),
  ),
})

/** A model that no longer is given some weights, but has them. */
export const withWeightsInside = (model: Model, weights: ReadonlyMap<string, Tensor>): Model => ({
  ...model,
  inputs: model.inputs.filter(({ name }) => !weights.has(name)),
  initializers: new Map([...model.initializers, ...weights]),
})
