import { checkOptions, describeArgument, describeNode, OnnxError } from './model/error.ts'
import {
  type Attribute,
  elementCount,
  isFloat32,
  type Model,
  type Node,
  type Tensor,
} from './model/model.ts'
import { AttributeReader, isOperator } from './model/node.ts'
import { seeded } from './nn/initializers.ts'

/** Which weights get adapters, and how large they are. */
export interface LoraOptions {
  /** Patterns of the names of weights, or of the MatMul, Gemm and Conv nodes that multiply by them. */
  readonly targets: readonly RegExp[]
  /** r >= 1: the number of columns of A and of rows of B. */
  readonly rank: number
  /** α > 0: products count α / r. Default r. */
  readonly alpha?: number
  /** The seed of the initial A. Default 1. */
  readonly seed?: number
  /** Patterns of the names of other parameters that are trained too, such as a new head. Default: none. */
  readonly trained?: readonly RegExp[]
}

/** Two small matrices that are added to a weight W of inputs × outputs: W + s·A·B. */
export interface LoraAdapter {
  /** Inputs × rank; of a convolution rank × channels × kernel. */
  readonly a: Tensor<'float32'>
  /** Rank × outputs; of a convolution outputs × rank × 1 …. */
  readonly b: Tensor<'float32'>
  /** s = α / rank */
  readonly scale: number
}

/** All that training changes of a model with adapters. */
export interface LoraState {
  /** By the name of the weight. */
  readonly adapters: ReadonlyMap<string, LoraAdapter>
  /** The other trained parameters. */
  readonly weights: ReadonlyMap<string, Tensor<'float32'>>
}

/** How a node reads a weight: which axes are inputs and outputs. */
type Layout = 'inputs × outputs' | 'outputs × inputs' | 'convolution'

/** A node that multiplies by a weight, perhaps through a Transpose. */
interface Use {
  readonly node: Node
  readonly weight: string
  readonly layout: Layout
}

/**
 * Adds low-rank adapters to weights: y = W·x becomes y = W·x + α/r·B·(A·x). The weights are frozen, and so
 * is all else but what `trained` matches; A is random and B zero, so the model computes what it did. Of a
 * convolution, A has its kernel and B is 1 × 1.
 *
 * @throws {OnnxError} If a pattern matches nothing, or a node that an adapter cannot act on reads a weight
 *   that is matched.
 * @see Hu et al. (2021), LoRA: low-rank adaptation of large language models.
 */
export function lora(model: Model, options: LoraOptions): Model {
  checkOptions('lora', options, ['targets', 'rank', 'alpha', 'seed', 'trained'])
  const { targets, rank, alpha = rank, seed = 1, trained = [] } = options
  for (const [name, patterns] of Object.entries({ targets, trained }))
    if (!Array.isArray(patterns) || !patterns.every((pattern) => pattern instanceof RegExp))
      throw new OnnxError(
        `lora: ${name} must be a list of patterns, but is ${describeArgument(patterns)}`,
      )
  if (!(Number.isSafeInteger(rank) && rank >= 1))
    throw new OnnxError(`lora: rank must be an integer >= 1, but is ${describeArgument(rank)}`)
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new OnnxError(`lora: alpha must be a number > 0, but is ${describeArgument(alpha)}`)
  if (!Number.isSafeInteger(seed))
    throw new OnnxError(`lora: seed must be an integer, but is ${describeArgument(seed)}`)
  const uses = usesOf(model)
  const matched = (pattern: RegExp): readonly string[] =>
    uses
      .filter(({ weight, node }) => weight.search(pattern) >= 0 || node.name.search(pattern) >= 0)
      .map(({ weight }) => weight)
  const floats = [...model.initializers].flatMap(([name, tensor]) =>
    isFloat32(tensor) && tensor.shape.length > 0 ? [[name, tensor] as const] : [],
  )
  const useless = targets.find((pattern) => matched(pattern).length === 0)
  if (useless || targets.length === 0)
    throw new OnnxError(
      `lora: targets must match weights of MatMul, Gemm or Conv, but ${useless ?? '[]'} matches none of ${[...new Set(uses.map(({ weight }) => weight))].join(', ')}`,
    )
  const unused = trained.find((pattern) => floats.every(([name]) => name.search(pattern) < 0))
  if (unused) throw new OnnxError(`lora: trained must match parameters, but ${unused} matches none`)
  const random = seeded(seed)
  const adapters = [...new Set(targets.flatMap(matched))].map((weight) => {
    const [use] = uses.filter((one) => one.weight === weight)
    const { shape } = floatOf(model, weight)
    const { a, b } = shapesOf(shape, use?.layout ?? 'inputs × outputs', rank)
    // As torch.nn.Linear is initialized: uniform, with the variance 1 / (3 · inputs).
    const bound = 1 / Math.sqrt(elementCount(a) / rank)
    const data = Float32Array.from(
      { length: elementCount(a) },
      () => (2 * random.uniform() - 1) * bound,
    )
    const zeros = new Float32Array(elementCount(b))
    return [
      weight,
      {
        a: { type: 'float32', shape: a, data },
        b: { type: 'float32', shape: b, data: zeros },
        scale: alpha / rank,
      },
    ] as const
  })
  const others = floats.filter(([name]) => trained.some((pattern) => name.search(pattern) >= 0))
  return applyLora(model, { adapters: new Map(adapters), weights: new Map(others) })
}

/**
 * The names of all weights that adapters can act on: those of MatMul, Gemm and Conv that no other node reads.
 * The last layer's is among them.
 */
export function adaptableWeights(model: Model): readonly string[] {
  const uses = usesOf(model)
  return [...new Set(uses.map(({ weight }) => weight))].filter(
    (weight) => !otherReader(model, uses, weight) && layoutOf(uses, weight) !== undefined,
  )
}

/**
 * Adds adapters that were trained before to their model.
 *
 * @throws {OnnxError} Naming a weight that is missing or of another shape.
 */
export function applyLora(model: Model, { adapters, weights }: LoraState): Model {
  if (model.lora) throw new OnnxError('lora: the model has adapters already; merge them first')
  const uses = usesOf(model)
  for (const [name, { shape }] of weights)
    if (`${floatOf(model, name).shape}` !== `${shape}`)
      throw new OnnxError(
        `lora: "${name}" must be [${floatOf(model, name).shape}], but is [${shape}]`,
      )
  for (const [weight, adapter] of adapters) checkUses(model, uses, weight, adapter)
  const free = freeNames(model)
  const initializers = new Map([...model.initializers, ...weights])
  const names = new Map<
    string,
    { readonly a: string; readonly b: string; readonly scale: string }
  >()
  for (const [weight, { a, b, scale }] of adapters) {
    const own = {
      a: free(`${weight}.lora_A`),
      b: free(`${weight}.lora_B`),
      scale: free(`${weight}.lora_scale`),
    }
    names.set(weight, own)
    initializers.set(own.a, a).set(own.b, b)
    initializers.set(own.scale, { type: 'float32', shape: [], data: Float32Array.of(scale) })
  }
  const useOf = new Map(uses.map((use) => [use.node, use]))
  const nodes = model.nodes.flatMap((node) => {
    const use = useOf.get(node)
    const own = use && names.get(use.weight)
    return own ? adapted(use, own, free) : [node]
  })
  const trained = [...weights.keys(), ...[...names.values()].flatMap(({ a, b }) => [a, b])]
  return {
    ...model,
    nodes,
    initializers,
    lora: {
      base: model,
      trained: new Set(trained),
      adapters: new Map(
        [...names].map(([weight, { a, b }]) => [
          weight,
          { a, b, scale: adapters.get(weight)?.scale ?? 1 },
        ]),
      ),
    },
  }
}

/** The adapters of a model and its other trained parameters, as they are now. */
export function loraState(model: Model): LoraState {
  const { adapters, trained } = adaptersOf(model)
  const own = [...adapters].map(([weight, { a, b, scale }]) => {
    return [weight, { a: floatOf(model, a), b: floatOf(model, b), scale }] as const
  })
  const inAdapters = new Set([...adapters.values()].flatMap(({ a, b }) => [a, b]))
  const others = [...trained].filter((name) => !inAdapters.has(name))
  return {
    adapters: new Map(own),
    weights: new Map(others.map((name) => [name, floatOf(model, name)])),
  }
}

/** Adds the products of the adapters to their weights: W + s·A·B. The model has the nodes that it had. */
export function mergeLora(model: Model): Model {
  const { base } = adaptersOf(model)
  const { adapters } = loraState(model)
  const layouts = new Map(usesOf(base).map(({ weight, layout }) => [weight, layout]))
  const initializers = [...base.initializers].map(([name, tensor]) => {
    const adapter = adapters.get(name)
    const now = model.initializers.get(name) ?? tensor
    return [
      name,
      adapter && isFloat32(now)
        ? merged(now, adapter, layouts.get(name) ?? 'inputs × outputs')
        : now,
    ] as const
  })
  return {
    ...base,
    initializers: new Map(initializers),
    ...(model.metadata && { metadata: model.metadata }),
  }
}

function merged(
  { shape, data }: Tensor<'float32'>,
  { a, b, scale }: LoraAdapter,
  layout: Layout,
): Tensor<'float32'> {
  // A convolution is a matrix of outputs × (channels · kernel), and its A and B are transposed.
  const isConvolution = layout === 'convolution'
  const rank = (isConvolution ? a.shape[0] : b.shape[0]) ?? 1
  const [inputs, outputs] = [a.data.length / rank, b.data.length / rank]
  const next = data.slice()
  for (let i = 0; i < inputs; i++)
    for (let o = 0; o < outputs; o++) {
      let sum = 0
      for (let r = 0; r < rank; r++)
        sum += isConvolution
          ? (a.data[r * inputs + i] ?? 0) * (b.data[o * rank + r] ?? 0)
          : (a.data[i * rank + r] ?? 0) * (b.data[r * outputs + o] ?? 0)
      const at = layout === 'inputs × outputs' ? i * outputs + o : o * inputs + i
      next[at] = (data[at] ?? 0) + scale * sum
    }
  return { type: 'float32', shape, data: next }
}

/** Every node that multiplies by a float32 initializer in a way that an adapter can act on. */
function usesOf({ nodes, initializers }: Model): readonly Use[] {
  const isMatrix = (name: string): boolean => {
    const tensor = initializers.get(name)
    return tensor !== undefined && isFloat32(tensor) && tensor.shape.length === 2
  }
  /** The matrix that a value is the transpose of. */
  const transposed = new Map<string, string>()
  const uses: Use[] = []
  for (const node of nodes) {
    const [, weight = ''] = node.inputs
    const attributes = new AttributeReader(node)
    if (isOperator(node, 'Transpose') && isMatrix(node.inputs[0] ?? '')) {
      if (`${attributes.ints('perm') ?? [1, 0]}` === '1,0')
        transposed.set(node.outputs[0] ?? '', node.inputs[0] ?? '')
    } else if (isOperator(node, 'MatMul')) {
      const original = transposed.get(weight)
      if (original !== undefined) uses.push({ node, weight: original, layout: 'outputs × inputs' })
      else if (isMatrix(weight)) uses.push({ node, weight, layout: 'inputs × outputs' })
    } else if (isOperator(node, 'Gemm') && isMatrix(weight)) {
      if (attributes.int('transA', 0) !== 0 || attributes.float('alpha', 1) !== 1) continue
      const layout = attributes.int('transB', 0) ? 'outputs × inputs' : 'inputs × outputs'
      uses.push({ node, weight, layout })
    } else if (isOperator(node, 'Conv') && attributes.int('group', 1) === 1) {
      const tensor = initializers.get(weight)
      if (tensor && isFloat32(tensor)) uses.push({ node, weight, layout: 'convolution' })
    }
  }
  return uses
}

/** Throws unless every node that reads a weight, or its transpose, gets the adapter, which must fit. */
function checkUses(
  model: Model,
  uses: readonly Use[],
  weight: string,
  { a, b }: LoraAdapter,
): void {
  const other = otherReader(model, uses, weight)
  if (other)
    throw new OnnxError(
      `lora: only MatMul, Gemm without transA and alpha, and Conv of one group may read "${weight}", but ${describeNode(other)} does`,
    )
  const layout = layoutOf(uses, weight)
  if (!layout)
    throw new OnnxError(
      `lora: "${weight}" must be the weight of a MatMul, Gemm or Conv, in one layout, but is not`,
    )
  const rank = (layout === 'convolution' ? a.shape[0] : b.shape[0]) ?? 1
  const expected = shapesOf(floatOf(model, weight).shape, layout, rank)
  if (`${a.shape};${b.shape}` !== `${expected.a};${expected.b}`)
    throw new OnnxError(
      `lora: the adapter of "${weight}" must be [${expected.a}] and [${expected.b}], but is [${a.shape}] and [${b.shape}]`,
    )
}

/** The layout in which nodes multiply by a weight; undefined unless all use the same one. */
function layoutOf(uses: readonly Use[], weight: string): Layout | undefined {
  const layouts = new Set(uses.filter((use) => use.weight === weight).map(({ layout }) => layout))
  const [layout] = layouts
  return layouts.size === 1 ? layout : undefined
}

/** A node that reads a weight, or its transpose, in a way that an adapter cannot act on. */
function otherReader(model: Model, uses: readonly Use[], weight: string): Node | undefined {
  const adaptable = new Set(uses.filter((use) => use.weight === weight).map(({ node }) => node))
  const find = (name: string): Node | undefined => {
    for (const node of model.nodes) {
      if (!node.inputs.includes(name) || adaptable.has(node)) continue
      const isTransposed = isOperator(node, 'Transpose') && adaptable.size > 0
      const other = isTransposed ? find(node.outputs[0] ?? '') : node
      if (other) return other
    }
    return undefined
  }
  return find(weight)
}

/** The shapes of an adapter for a weight. */
function shapesOf(
  shape: readonly number[],
  layout: Layout,
  rank: number,
): { readonly a: readonly number[]; readonly b: readonly number[] } {
  const [first = 1, second = 1, ...kernel] = shape
  if (layout === 'convolution')
    return { a: [rank, second, ...kernel], b: [first, rank, ...kernel.map(() => 1)] }
  const [inputs, outputs] = layout === 'inputs × outputs' ? [first, second] : [second, first]
  return { a: [inputs, rank], b: [rank, outputs] }
}

/** y = W·x + (s·(x·A))·B */
function adapted(
  { node, layout }: Use,
  { a, b, scale }: { readonly a: string; readonly b: string; readonly scale: string },
  free: (name: string) => string,
): readonly Node[] {
  const [x = ''] = node.inputs
  const [y = ''] = node.outputs
  const own = (name: string): string => free(`${y}/lora/${name}`)
  const make = (
    operator: string,
    inputs: readonly string[],
    name: string,
    output = name,
    attributes: ReadonlyMap<string, Attribute> = new Map(),
  ): Node => ({ operator, domain: '', name, inputs, outputs: [output], attributes })
  const [base, low, scaled, high] = [own('base'), own('A'), own('scaled'), own('B')]
  const isConvolution = layout === 'convolution'
  const multiply = isConvolution ? 'Conv' : 'MatMul'
  return [
    { ...node, outputs: [base] },
    make(multiply, [x, a], low, low, isConvolution ? node.attributes : new Map()),
    make('Mul', [low, scale], scaled),
    make(multiply, [scaled, b], high),
    make('Add', [base, high], own('sum'), y),
  ]
}

/** Returns a function that makes names unique in a model. */
function freeNames(model: Model): (name: string) => string {
  const taken = new Set([
    ...model.initializers.keys(),
    ...model.inputs.map(({ name }) => name),
    ...model.nodes.flatMap(({ outputs }) => outputs),
  ])
  return (name) => {
    let free = name
    while (taken.has(free)) free += '_'
    taken.add(free)
    return free
  }
}

function adaptersOf({ lora }: Model): NonNullable<Model['lora']> {
  if (!lora) throw new OnnxError('lora: the model must have adapters, but has none')
  return lora
}

function floatOf({ initializers }: Model, name: string): Tensor<'float32'> {
  const tensor = initializers.get(name)
  if (tensor && isFloat32(tensor)) return tensor
  throw new OnnxError(
    `lora: "${name}" must be a float32 initializer, but is ${tensor?.type ?? 'missing'}`,
  )
}
