import { allButChannels } from '../../graph/channels.ts'
import { reduceSum } from '../../graph/operations.ts'
import { imageGradients } from '../../lowering/image-gradient.ts'
import { weightGradients } from '../../lowering/weight-gradient.ts'
import { convolutionWindow } from '../../shapes/convolution.ts'
import { space } from '../../shapes/window.ts'
import type { Rule } from '../rule.ts'

/**
 * y[p] = Σₖ w[k]·x[stride·p + dilation·k − begin] + b;  ∂x and ∂w sum the same products over p with
 * ∂y in the place of the one that is missing, ∂b = Σ∂y over batch and space
 */
export const Conv: Rule = (operation, dy) => {
  const [image, weight] = [operation.input(0), operation.input(1)]
  const { imageGradient, weightGradient } = operation.graph.lowering
  const window = convolutionWindow(operation)
  const groups = operation.int('group', 1)
  return [
    imageGradients[imageGradient]({ gradient: dy, weight, window, groups, space: space(image) }),
    weightGradients[weightGradient]({ image, gradient: dy, window, groups }),
    reduceSum(dy, allButChannels(dy), 'drop'),
  ]
}
