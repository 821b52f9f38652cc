import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  engine,
  type GradConfig,
  getBackend,
  getGradient,
  type NamedAttrMap,
  registerGradient,
  type Tensor,
} from '@tensorflow/tfjs-core'

/**
 * tfjs-core refuses the gradient of a dilated convolution, for want of kernels that heed dilations.
 * Those here do, so on the wasm backend they are called.
 */
export function differentiateDilated(): void {
  where(Conv2D, gradientBy(Conv2DBackpropInput, Conv2DBackpropFilter))
  where(
    DepthwiseConv2dNative,
    gradientBy(DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter),
  )
  where(Conv2DBackpropInput, () => {
    throw new Error('Conv2DBackpropInput on wasm: dilated convolutions have no second gradient')
  })
}

/** The gradient of a convolution by two kernels. */
const gradientBy =
  (ofInput: string, ofFilter: string): GradConfig['gradFunc'] =>
  (dy, saved, attrs) => {
    // A convolution has one output, and saves what its gradient asks for: x and filter.
    const [gradient, x, filter] = [dy as Tensor, ...saved]
    const { shape: inputShape } = x
    const { shape: filterShape } = filter
    return {
      x: () => engine().runKernel(ofInput, { dy: gradient, filter }, { ...attrs, inputShape }),
      filter: () => engine().runKernel(ofFilter, { x, dy: gradient }, { ...attrs, filterShape }),
    }
  }

const extended = new WeakSet<GradConfig>()

/** Lets another gradient take the place of the known one, on wasm and for dilations only. */
function where(kernelName: string, dilated: GradConfig['gradFunc']): void {
  const known = getGradient(kernelName)
  if (!known || extended.has(known)) return
  const both: GradConfig = {
    ...known,
    gradFunc: (dy, saved, attrs) =>
      (getBackend() === 'wasm' && isDilated(attrs) ? dilated : known.gradFunc)(dy, saved, attrs),
  }
  extended.add(both)
  registerGradient(both)
}

const isDilated = ({ dilations }: NamedAttrMap): boolean =>
  [dilations ?? 1].flat().some((dilation) => dilation !== 1)
