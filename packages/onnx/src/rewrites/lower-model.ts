import { Graph, Operation } from '../ir/graph.ts'
import type { Lowering } from '../ir/lowering.ts'
import { toModel } from '../ir/to-model.ts'
import type { Model } from '../model/model.ts'
import { isOperator } from '../model/node.ts'
import { cast, exp, greater, less, log, reduceMax, reduceSum, sub } from '../ops/builders.ts'
import { normalizeBatchPlainly } from '../ops/normalization.ts'
import { convolveAsProduct, convolveInBlocks } from './convolutions.ts'
import { type InputSizes, importModel, type RewriteRule } from './import.ts'

/**
 * Writes convolutions, batch normalization, LogSoftmax and Sign in the forms that a lowering selects. It
 * comes after differentiation, for which each is one operation. The forms of convolutions share their patches and layouts with the
 * gradients: equal operations become one.
 *
 * @param sizes - of the model's symbolic dimensions.
 */
export function lowerModel(model: Model, lowering: Lowering, sizes: InputSizes = {}): Model {
  const { productUpTo, channelBlock, operators } = lowering
  if (productUpTo === 0 && channelBlock === 0 && operators === 'standard') return model
  const graph = new Graph(lowering, 'shared')
  const rules = [
    convolveAsProduct,
    convolveInBlocks,
    plainBatchNormalization,
    plainLogSoftmax,
    plainSign,
  ]
  const values = importModel(graph, model, { ...sizes, rules })
  const outputs = model.outputs.flatMap(({ name }) => {
    const value = values.get(name)
    return value ? [[name, value] as const] : []
  })
  return toModel({ name: model.name, outputs: new Map(outputs), domains: model.domains })
}

/** Normalization by the batch, for runtimes whose BatchNormalization has no training mode. */
const plainBatchNormalization: RewriteRule = (graph, node, inputs) => {
  const [x, scale, bias] = inputs
  if (!isOperator(node, 'BatchNormalization') || graph.lowering.operators !== 'plain') return
  if (!x || !scale || !bias) return
  const operation = new Operation(graph, { ...node, inputs })
  if (operation.int('training_mode', 0) === 0) return
  const epsilon = operation.float('epsilon', 1e-5)
  const { y, mean, variance } = normalizeBatchPlainly({ x, scale, bias, epsilon })
  return [y, mean, variance]
}

/** x − max x − ln Σ exp(x − max x), for runtimes without LogSoftmax. */
const plainLogSoftmax: RewriteRule = (graph, node, inputs) => {
  const [x] = inputs
  if (!isOperator(node, 'LogSoftmax') || graph.lowering.operators !== 'plain' || !x) return
  const operation = new Operation(graph, { ...node, inputs })
  const axes = [operation.axis(operation.int('axis', -1), x.shape.length)]
  const shifted = sub(x, reduceMax(x, axes))
  return [sub(shifted, log(reduceSum(exp(shifted), axes)))]
}

/** 1 where x > 0, −1 where x < 0, else 0: for runtimes without Sign. */
const plainSign: RewriteRule = (graph, node, [x]) => {
  if (!isOperator(node, 'Sign') || graph.lowering.operators !== 'plain' || !x) return
  return [sub(cast(greater(x, 0), x.type), cast(less(x, 0), x.type))]
}
