import { convolutionWindow, outputSizes } from '../analysis/shapes/convolution.ts'
import { Operation } from '../ir/graph.ts'
import { axisSize, staticShape } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import { isOperator } from '../model/node.ts'
import {
  blockedWeight,
  convolveBlocked,
  fromBlocked,
  isBlockable,
  toBlocked,
} from '../ops/blocked.ts'
import { add, gemm, perChannel, reshape } from '../ops/builders.ts'
import { batchFirst, isProduct, unfold } from '../ops/unfold.ts'
import type { RewriteRule } from './import.ts'

/** One product of the weight and the patches under the kernel, with the batch as the last axis. */
export const convolveAsProduct: RewriteRule = (graph, node, inputs) => {
  const [image, weight, bias] = inputs
  if (!isOperator(node, 'Conv') || !image || !weight) return
  const operation = new Operation(graph, { ...node, inputs })
  const window = convolutionWindow(operation)
  const outputSpace = outputSizes(operation, window)
  if (!isProduct(graph.lowering, window, operation.int('group', 1), outputSpace)) return
  const [outputs = 1, ...rest] = staticShape(weight)
  const matrix = reshape(weight, [outputs, elementCount(rest)])
  const product = gemm(matrix, unfold(image, window, outputSpace))
  const y = batchFirst(product, [axisSize(image, 0), outputs, ...outputSpace])
  return [bias ? add(y, perChannel(bias, y)) : y]
}

/** A convolution in blocked layout. An image with fewer channels than a block stays as it is. */
export const convolveInBlocks: RewriteRule = (graph, node, inputs) => {
  const [image, weight, bias] = inputs
  if (!isOperator(node, 'Conv') || !image || !weight) return
  const operation = new Operation(graph, { ...node, inputs })
  const window = convolutionWindow(operation)
  const { channelBlock: block } = graph.lowering
  const [outputs, channels] = [axisSize(weight, 0), axisSize(weight, 1)]
  if (!isBlockable(graph.lowering, window, operation.int('group', 1))) return
  if (outputs % block !== 0 || (channels % block !== 0 && channels > block)) return
  const { kernel, strides, begin, end } = window
  const y = convolveBlocked(
    channels < block ? image : toBlocked(image),
    blockedWeight(weight, block),
    { kernel, strides, pads: [...begin, ...end] },
    outputSizes(operation, window),
    bias,
  )
  return [fromBlocked(y)]
}
