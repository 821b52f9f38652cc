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
 * Registers gradients of dilated convolutions, for the wasm backend. tfjs-core throws for these,
 * because the kernels of its own backends ignore dilations; those of this package do not.
 */
export function registerDilatedGradients(): void {
  overrideDilated(Conv2D, gradientBy(Conv2DBackpropInput, Conv2DBackpropFilter))
  overrideDilated(
    DepthwiseConv2dNative,
    gradientBy(DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter),
  )
  overrideDilated(Conv2DBackpropInput, () => {
    throw new Error('Conv2DBackpropInput on wasm: dilated convolutions have no second gradient')
  })
}

/** The gradient of a convolution by two kernels. */
const gradientBy =
  (inputKernel: string, filterKernel: string): GradConfig['gradFunc'] =>
  (dy, saved, attrs) => {
    // A convolution has one output, and saves the inputs of its gradient: x and filter.
    const [gradient, x, filter] = [dy as Tensor, ...saved]
    const { shape: inputShape } = x
    const { shape: filterShape } = filter
    return {
      x: () => engine().runKernel(inputKernel, { dy: gradient, filter }, { ...attrs, inputShape }),
      filter: () =>
        engine().runKernel(filterKernel, { x, dy: gradient }, { ...attrs, filterShape }),
    }
  }

/** The gradients registered here, so that a second registration does not wrap them again. */
const overridden = new WeakSet<GradConfig>()

/** Overrides the registered gradient of a kernel, on the wasm backend and for dilations other than 1. */
function overrideDilated(kernelName: string, dilated: GradConfig['gradFunc']): void {
  const registered = getGradient(kernelName)
  if (!registered || overridden.has(registered)) return
  const override: GradConfig = {
    ...registered,
    gradFunc: (dy, saved, attrs) =>
      (getBackend() === 'wasm' && isDilated(attrs) ? dilated : registered.gradFunc)(
        dy,
        saved,
        attrs,
      ),
  }
  overridden.add(override)
  registerGradient(override)
}

const isDilated = ({ dilations }: NamedAttrMap): boolean =>
  [dilations ?? 1].flat().some((dilation) => dilation !== 1)
