import { allButChannels } from '../../graph/channels.ts'
import { apply, reduceSum } from '../../graph/operations.ts'
import { weightGradients } from '../../lowering/weight-gradient.ts'
import { convolutionWindow } from '../../shapes/convolution.ts'
import type { Rule } from '../rule.ts'

/**
 * y[stride·p + dilation·k − begin] = Σ w[k]·x[p] + b: the transpose of a convolution;  ∂x is that
 * convolution of ∂y, ∂w its weight's gradient with x and ∂y in each other's place, ∂b = Σ∂y
 */
export const ConvTranspose: Rule = (operation, dy) => {
  const [x, w] = [operation.input(0), operation.input(1)]
  const window = convolutionWindow(operation)
  const groups = operation.int('group', 1)
  const dx = apply('Conv', [dy, w], {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.begin, ...window.end],
    group: groups,
  })
  const dw = weightGradients[operation.graph.lowering.weightGradient]({
    image: dy,
    gradient: x,
    window,
    groups,
  })
  return [dx, dw, reduceSum(dy, allButChannels(dy), 'drop')]
}
