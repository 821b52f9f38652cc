import type { GradientModel, Model, Node } from '@diffgrad/onnx'

/** What a node of a gradient model works for. */
export type Part =
  | 'forward'
  | 'gradients of images'
  | 'gradients of weights'
  | 'gradients of normalization and activation'

/**
 * Sorts the nodes of a gradient model, by their names. What the loss is computed from is forward; what
 * one weight alone is computed from, its gradient; of the rest, convolutions lead to images.
 */
export function partsOf({ model, loss, parameters }: GradientModel): ReadonlyMap<string, Part> {
  const forward = leadingTo(model, new Set([loss]))
  const gradients = [...parameters.values()].map(({ gradient, initial }) => ({
    isMatrix: initial.shape.length > 1,
    nodes: leadingTo(model, new Set([gradient])),
  }))
  const uses = new Map<Node, number>()
  for (const { nodes } of gradients)
    for (const node of nodes) uses.set(node, (uses.get(node) ?? 0) + 1)
  const matrices = new Set(
    gradients.flatMap(({ isMatrix, nodes }) =>
      isMatrix ? [...nodes].filter((node) => uses.get(node) === 1) : [],
    ),
  )
  const images = new Set(['Conv', 'ConvTranspose'])
  return new Map(
    model.nodes.map((node) => [
      node.name,
      forward.has(node)
        ? 'forward'
        : matrices.has(node)
          ? 'gradients of weights'
          : images.has(node.operator)
            ? 'gradients of images'
            : 'gradients of normalization and activation',
    ]),
  )
}

/** The nodes that some values are computed by. */
function leadingTo({ nodes }: Model, values: Set<string>): ReadonlySet<Node> {
  const found = new Set<Node>()
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => values.has(name))) continue
    found.add(node)
    for (const name of node.inputs) values.add(name)
  }
  return found
}
