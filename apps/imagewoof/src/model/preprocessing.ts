import type { Attribute, Model, Node, Tensor } from '@diffgrad/onnx'
import type { Config } from '../config/config.ts'
import type { ChannelStatistics } from '../data/batch.ts'

/** The names of all nodes and constants of the preprocessing begin with this. */
const prefix = 'preprocessing/'

/** The value that the network reads instead of the model's input. */
const networkInput = `${prefix}normalized`

/** The settings that say what validation sees of an image. */
type ValidationView = Pick<Config, 'size' | 'validationCrop'>

interface Fragment {
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Tensor>
}

/**
 * Puts the preprocessing of validation images in front of a network as ONNX operators. The model then
 * takes an image of any size, with values from 0 to 255 · 1 × channels × height × width: grey, grey and
 * alpha, RGB, or RGBA. The network receives what it receives in `evaluate`, whatever runs it. Batches are
 * refused, because transformers.js stacks images without comparing their sizes.
 *
 * @param view - the edge of the network's input, in pixels, and the share of an image's shorter side in it.
 */
export function withPreprocessing(
  network: Model,
  view: ValidationView,
  statistics: ChannelStatistics,
): Model {
  const [input, ...others] = network.inputs
  const { nodes, initializers } = preprocessing(input.name, view, statistics)
  const rename = (name: string): string => (name === input.name ? networkInput : name)
  const shape = [1, 'channels', 'height', 'width']
  return {
    ...network,
    // Without its message, whose shape is the network's.
    inputs: [{ name: input.name, type: 'float32', shape }, ...others],
    values: new Map(network.values).set(networkInput, {
      name: networkInput,
      type: 'float32',
      shape: input.shape,
    }),
    initializers: new Map([...network.initializers, ...initializers]),
    nodes: [
      ...nodes,
      ...network.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
    ],
  }
}

/** The network behind `withPreprocessing`; undefined if the model has no such preprocessing. */
export function withoutPreprocessing(model: Model): Model | undefined {
  const [{ name: input }, ...others] = model.inputs
  const declared = model.values.get(networkInput)
  if (!declared) return undefined
  const isNetwork = (name: string): boolean => !name.startsWith(prefix)
  const rename = (name: string): string => (name === networkInput ? input : name)
  return {
    ...model,
    inputs: [{ name: input, type: 'float32', shape: declared.shape }, ...others],
    values: new Map([...model.values].filter(([name]) => isNetwork(name))),
    initializers: new Map([...model.initializers].filter(([name]) => isNetwork(name))),
    nodes: model.nodes
      .filter(({ name }) => isNetwork(name))
      .map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
  }
}

/**
 * The operators from images to the network's input. The Lanczos filter is separable, so the images are
 * multiplied by a matrix of taps on each side, which depends on their size.
 */
function preprocessing(
  input: string,
  { size, validationCrop }: ValidationView,
  { mean, deviation }: ChannelStatistics,
): Fragment {
  const nodes: Node[] = []
  const initializers = new Map<string, Tensor>()
  const apply = (
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = `${prefix}${nodes.length}-${operator}`,
  ): string => {
    nodes.push({
      operator,
      domain: '',
      name: output,
      inputs,
      outputs: [output],
      attributes: new Map(Object.entries(attributes)),
    })
    return output
  }
  const constant = (tensor: Tensor): string => {
    const name = `${prefix}constant-${initializers.size}`
    initializers.set(name, tensor)
    return name
  }
  const floats = (values: readonly number[], shape: readonly number[] = [values.length]): string =>
    constant({ type: 'float32', shape, data: Float32Array.from(values) })
  const integers = (...values: readonly number[]): string =>
    constant({ type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) })
  const scalar = (value: number): string => floats([value], [])
  const [one, channelAxis] = [integers(1), integers(1)]
  /** The length of an axis, as an int64 tensor · 1. */
  const lengthOf = (axis: number): string => apply('Shape', [input], { start: axis, end: axis + 1 })

  // An even number of channels ends with alpha. Transparent images are put on white.
  const channels = lengthOf(1)
  const alphas = apply('Sub', [one, apply('Mod', [channels, integers(2)])])
  const colours = apply('Sub', [channels, alphas])
  const colour = apply('Slice', [input, integers(0), colours, channelAxis])
  const alpha = apply('Slice', [input, colours, channels, channelAxis])
  const white = scalar(255)
  const transparency = apply('Div', [apply('Sub', [white, alpha]), white])
  // The sum over no alpha channel is 0.
  const share = apply('ReduceSum', [transparency, channelAxis], { keepdims: 1 })
  const flat = apply('Add', [colour, apply('Mul', [share, apply('Sub', [white, colour])])])

  const [height, width] = [2, 3].map((axis) => apply('Cast', [lengthOf(axis)], { to: 1 }))
  const step = apply('Mul', [apply('Min', [height, width]), scalar(validationCrop / size)])
  const filterScale = apply('Max', [step, scalar(1)])
  const offsets = floats(
    Array.from({ length: size }, (_, i) => i + 0.5 - size / 2),
    [size, 1],
  )
  /** The taps along an axis · size × length, as `lanczosTaps` computes them. */
  const tapsOf = (length: string): string => {
    const centres = apply('Add', [
      apply('Mul', [offsets, step]),
      apply('Mul', [length, scalar(0.5)]),
    ])
    const positions = apply('Range', [scalar(0.5), apply('Squeeze', [length]), scalar(1)])
    const x = apply('Div', [apply('Sub', [positions, centres]), filterScale])
    const angle = apply('Mul', [x, scalar(Math.PI)])
    const third = apply('Mul', [x, scalar(Math.PI / 3)])
    // sinc(x)·sinc(x⁄3)
    const quotient = apply('Div', [
      apply('Mul', [apply('Sin', [angle]), apply('Sin', [third])]),
      apply('Mul', [angle, third]),
    ])
    const distance = apply('Abs', [x])
    const inside = apply('Where', [apply('Less', [distance, scalar(3)]), quotient, scalar(0)])
    const weights = apply('Where', [apply('Less', [distance, scalar(1e-4)]), scalar(1), inside])
    return apply('Div', [weights, apply('ReduceSum', [weights, integers(1)], { keepdims: 1 })])
  }
  const columns = apply('Transpose', [tapsOf(width)], { perm: [1, 0] })
  const resized = apply('MatMul', [tapsOf(height), apply('MatMul', [flat, columns])])
  // evaluate stores bytes.
  const bytes = apply('Clip', [apply('Round', [resized]), scalar(0), white])
  // (value / 255 − mean) / deviation = value · factor + offset, for three channels even of grey images.
  const factor = floats(
    deviation.map((d) => 1 / (255 * d)),
    [1, 3, 1, 1],
  )
  const offset = floats(
    mean.map((m, channel) => -m / deviation[channel]),
    [1, 3, 1, 1],
  )
  apply('Add', [apply('Mul', [bytes, factor]), offset], {}, networkInput)
  return { nodes, initializers }
}
