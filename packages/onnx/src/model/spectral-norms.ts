import { allNodes } from './branches.ts'
import { isFloat32, type Model, type Node } from './model.ts'
import { isOperator } from './node.ts'

/** A weight that a model divides by its spectral norm σ = uᵀ·W·v. All are names of initializers. */
export interface SpectralNorm {
  readonly weight: string
  /** The approximate left singular vector of the largest singular value. */
  readonly u: string
  /** The approximate right one. */
  readonly v: string
}

/** Operators that write the elements of a weight as a matrix. */
const layoutOperators: readonly string[] = ['Flatten', 'Identity', 'Reshape', 'Transpose']

/**
 * Finds the spectral norms of a model by the MatMul nodes that compute σ: W / MatMul(u, MatMul(W, v)),
 * where u and v are vectors among the initializers. So PyTorch exports `torch.nn.utils.spectral_norm`.
 */
export function spectralNorms({
  nodes,
  initializers,
}: Pick<Model, 'nodes' | 'initializers'>): ReadonlyMap<Node, SpectralNorm> {
  const all = allNodes(nodes)
  const producers = new Map(all.flatMap((node) => node.outputs.map((name) => [name, node])))
  const isVector = (name: string): boolean => {
    const tensor = initializers.get(name)
    return tensor !== undefined && isFloat32(tensor) && tensor.shape.length === 1
  }
  /** The initializer that a matrix has the elements of. */
  const weightOf = (name: string): string => {
    const node = producers.get(name)
    const isLayout = node?.domain === '' && layoutOperators.includes(node.operator)
    return isLayout ? weightOf(node.inputs[0] ?? '') : name
  }
  const norms = new Map<Node, SpectralNorm>()
  for (const division of all) {
    const [dividend = '', divisor = ''] = division.inputs
    const sigma = producers.get(divisor)
    if (!isOperator(division, 'Div') || !sigma || !isOperator(sigma, 'MatMul')) continue
    const [u = '', inner = ''] = sigma.inputs
    const product = producers.get(inner)
    if (!product || !isOperator(product, 'MatMul')) continue
    const [matrix = '', v = ''] = product.inputs
    const weight = weightOf(matrix)
    if (isVector(u) && isVector(v) && initializers.has(weight) && weightOf(dividend) === weight)
      norms.set(sigma, { weight, u, v })
  }
  return norms
}
