import { describeNode, OnnxError } from './model/error.ts'
import { exceptNames } from './model/initializer-roles.ts'
import { type Attribute, isFloat32, type Model, type Node, type Tensor } from './model/model.ts'
import { freshNames, isOperator } from './model/node.ts'
import { seeded, xavierUniform } from './nn/initializers.ts'

/** The last layer of a classifier: a Gemm, or a MatMul followed by an Add. */
interface Head {
  readonly weight: string
  /** 0 if the weight is classes × features, else 1. */
  readonly classAxis: 0 | 1
  readonly features: number
  readonly bias: string | undefined
  /** The Gemm or MatMul. */
  readonly product: Node
  /** The node whose output are the logits: the Add if there is one. */
  readonly last: Node
  /** The nodes from logits to the model's output that go with the head. */
  readonly after: readonly Node[]
}

/** Operators from logits to probabilities, which a new head leaves to its reader. */
const afterLogits = ['Softmax', 'LogSoftmax', 'Identity']

/**
 * Gives a classifier a new last layer, for another number of classes. The layer has the nodes and names of the
 * old one, Xavier's initial weights and a bias of 0; a Softmax after it is removed, so that the first output
 * holds logits. All other outputs are removed.
 *
 * @param seed - of the initial weights.
 * @throws {OnnxError} If the first output is not that of a linear layer.
 */
export function replaceHead(model: Model, classes: number, seed: number): Model {
  checkClasses(classes)
  const { weight, classAxis, features, bias, product, last, after } = headOf(model)
  const output = firstOutput(model)
  const initializers = new Map(model.initializers).set(
    weight,
    headWeight(classes, features, classAxis, seed),
  )
  if (bias !== undefined) initializers.set(bias, zeros(classes))
  const nodes =
    after.length === 0
      ? model.nodes
      : model.nodes
          .filter((node) => !after.includes(node))
          .map((node) => (node === last ? { ...node, outputs: [output.name] } : node))
  const gone = new Set([...product.outputs, ...last.outputs])
  return {
    ...model,
    nodes,
    initializers,
    outputs: [{ ...output, shape: [output.shape?.[0] ?? 'batch', classes] }],
    values: new Map([...model.values].filter(([name]) => !gone.has(name))),
  }
}

/**
 * Adds a linear layer to a model that returns features, whose output it becomes. Features of
 * batch × channels × height × width, or batch × length × features, are averaged first; those of texts over
 * the tokens that the input `attention_mask` marks, if there is one. All other outputs are removed.
 *
 * @param seed - of the initial weights.
 * @param output - the name of the new output. Default `logits`.
 * @throws {OnnxError} If the first output is not float32 features in one of these shapes.
 */
export function attachHead(model: Model, classes: number, seed: number, output = 'logits'): Model {
  checkClasses(classes)
  const { name, type, shape = [] } = firstOutput(model)
  const features = shape.length === 4 ? shape[1] : shape.at(-1)
  if (type !== 'float32' || typeof features !== 'number' || ![2, 3, 4].includes(shape.length))
    throw new OnnxError(
      `head: output "${name}" must be float32 features of batch × features, batch × length × features or batch × channels × height × width, but is ${type} [${shape}]`,
    )
  const fresh = freshNames(namesOf(model))
  const nodes: Node[] = []
  const initializers = new Map(model.initializers)
  const apply = (
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    to = fresh(`head/${operator}`),
  ): string => {
    const node = { operator, domain: '', name: to, inputs, outputs: [to] }
    nodes.push({ ...node, attributes: new Map(Object.entries(attributes)) })
    return to
  }
  const add = (stem: string, tensor: Tensor): string => {
    const own = fresh(stem)
    initializers.set(own, tensor)
    return own
  }
  const axes = (axis: number): string =>
    add('head/axes', { type: 'int64', shape: [1], data: BigInt64Array.of(BigInt(axis)) })
  const mask = model.inputs.find((input) => input.name === 'attention_mask')
  const pooled = (): string => {
    if (shape.length === 2) return name
    if (shape.length === 4) return apply('Flatten', [apply('GlobalAveragePool', [name])])
    if (!mask) return apply('ReduceMean', [name, axes(1)], { keepdims: 0 })
    const marks = apply('Unsqueeze', [apply('Cast', [mask.name], { to: 1 }), axes(2)])
    const sum = apply('ReduceSum', [apply('Mul', [name, marks]), axes(1)], { keepdims: 0 })
    return apply('Div', [sum, apply('ReduceSum', [marks, axes(1)], { keepdims: 0 })])
  }
  const weight = add('head.weight', headWeight(classes, features, 0, seed))
  const bias = add('head.bias', zeros(classes))
  const end = fresh(output)
  apply('Gemm', [pooled(), weight, bias], { transB: 1 }, end)
  const batch = shape[0] ?? 'batch'
  return {
    ...model,
    nodes: [...model.nodes, ...nodes],
    initializers,
    outputs: [{ name: end, type: 'float32', shape: [batch, classes] }],
    values: new Map(model.values).set(name, firstOutput(model)),
  }
}

/** Whether the first output is that of a linear layer, which `replaceHead` replaces. */
export function hasHead(model: Model): boolean {
  return findHead(model) !== undefined
}

/**
 * The names of the parameters of the last layer: its weight, and its bias if it has one.
 *
 * @throws {OnnxError} If the first output is not that of a linear layer.
 */
export function headNames(model: Model): readonly string[] {
  const { weight, bias } = headOf(model)
  return bias === undefined ? [weight] : [weight, bias]
}

/**
 * A pattern of the names of all parameters but the last layer's: with it as `frozen`, only the head is trained.
 *
 * @throws {OnnxError} If the first output is not that of a linear layer.
 */
export const backbonePattern = (model: Model): RegExp => exceptNames(headNames(model))

function headOf(model: Model): Head {
  const head = findHead(model)
  if (head) return head
  const { name } = firstOutput(model)
  const last = producerOf(model, name)
  throw new OnnxError(
    `head: the last layer must be linear (Gemm, or MatMul and Add, by a float32 weight), but output "${name}" is ${last ? `that of ${describeNode(last)}` : 'no output of a node'}`,
  )
}

function findHead(model: Model): Head | undefined {
  const after: Node[] = []
  let last = producerOf(model, firstOutput(model).name)
  while (last && afterLogits.some((operator) => last && isOperator(last, operator))) {
    after.push(last)
    last = producerOf(model, last.inputs[0] ?? '')
  }
  if (!last) return undefined
  const isSum = isOperator(last, 'Add')
  const product = isSum
    ? last.inputs
        .map((name) => producerOf(model, name))
        .find((node) => node && isOperator(node, 'MatMul'))
    : last
  if (!product || !(isOperator(product, 'Gemm') || isOperator(product, 'MatMul'))) return undefined
  const bias = isSum
    ? last.inputs.find((name) => model.initializers.has(name))
    : product.inputs[2] || undefined
  const weight = product.inputs[1] ?? ''
  const tensor = model.initializers.get(weight)
  if (!tensor || !isFloat32(tensor) || tensor.shape.length !== 2) return undefined
  const classAxis = product.attributes.get('transB') === 1 ? 0 : 1
  const features = tensor.shape[1 - classAxis] ?? 0
  return { weight, classAxis, features, bias, product, last, after }
}

const producerOf = ({ nodes }: Model, name: string): Node | undefined =>
  nodes.find(({ outputs }) => outputs.includes(name))

function firstOutput({ name, outputs }: Model): Model['outputs'][number] {
  const [output] = outputs
  if (output) return output
  throw new OnnxError(`head: model "${name}" must have an output, but has none`)
}

function checkClasses(classes: number): void {
  if (!(Number.isSafeInteger(classes) && classes > 0))
    throw new OnnxError(`head: classes must be an integer > 0, but is ${classes}`)
}

function headWeight(
  classes: number,
  features: number,
  classAxis: 0 | 1,
  seed: number,
): Tensor<'float32'> {
  const draw = xavierUniform([classes, features], seeded(seed))
  const shape = classAxis === 0 ? [classes, features] : [features, classes]
  return {
    type: 'float32',
    shape,
    data: Float32Array.from({ length: classes * features }, () => draw()),
  }
}

const zeros = (length: number): Tensor<'float32'> => ({
  type: 'float32',
  shape: [length],
  data: new Float32Array(length),
})

const namesOf = ({ inputs, nodes, initializers }: Model): Set<string> =>
  new Set([
    ...inputs.map(({ name }) => name),
    ...initializers.keys(),
    ...nodes.flatMap(({ outputs }) => outputs),
  ])
