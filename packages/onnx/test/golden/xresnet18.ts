import type { Model } from '../../src/model/model.ts'
import { ones } from '../../src/nn/initializers.ts'
import { buildModel } from '../../src/nn/layer.ts'
import { xResNet18 } from '../../src/nn/xresnet.ts'

/**
 * XResNet-18 on images of 64 × 64. Branches do not begin as nothing: there the gradient of a whole
 * branch hangs on a γ of which only rounding decides the sign, and no two programs agree.
 */
export const xResNet18Model = (): Model =>
  buildModel(xResNet18(10, { lastScale: ones }), { shape: ['batch', 3, 64, 64], seed: 18 })
