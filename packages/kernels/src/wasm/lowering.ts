import type { Binary, Expression, Graph, Unary } from '@diffgrad/core'

/**
 * An expression as instructions are selected from it: `sigmoid` is lowered to a division by `logistic`
 * or `exp`, so that a rule's own division can absorb it.
 */
export type Term =
  | { readonly op: 'constant'; readonly value: number }
  | { readonly op: 'array' | 'coefficient'; readonly name: string }
  /** `logistic` is 1 + e⁻ᵃ, for a ≥ 0. */
  | { readonly op: Exclude<Unary, 'sigmoid'> | 'logistic'; readonly a: Term }
  /** `whereNegative` is b where a < 0, and 1 elsewhere. */
  | { readonly op: Binary | 'whereNegative'; readonly a: Term; readonly b: Term }

/** Returns the operands of a term. */
export const operandsOf = (term: Term): readonly Term[] =>
  'b' in term ? [term.a, term.b] : 'a' in term ? [term.a] : []

/** Lowers a graph: returns the term of each written array, with fewer divisions than the graph. */
export function lower({ nodes, outputs }: Graph): readonly (readonly [string, Term])[] {
  const terms = new Map<Expression, Term>()
  const lowered = (node: Expression): Term => terms.get(node) ?? termOf(node)
  const termOf = (node: Expression): Term => {
    if ('b' in node) return binary(node.op, lowered(node.a), lowered(node.b))
    if (!('a' in node)) return node
    const a = lowered(node.a)
    return node.op === 'sigmoid' ? sigmoid(a) : { op: node.op, a }
  }
  for (const node of nodes) terms.set(node, termOf(node)) // One term a node.
  return outputs.map(([array, node]) => [array, lowered(node)])
}

const one: Term = { op: 'constant', value: 1 }

/**
 * σ(x) = 1 / (1 + e⁻ˣ) for x ≥ 0. Where x may be negative, (x < 0 ? e⁻¦ˣ¦ : 1) / (1 + e⁻¦ˣ¦), which
 * does not overflow.
 */
function sigmoid(x: Term): Term {
  if (isNonNegative(x)) return { op: 'div', a: one, b: { op: 'logistic', a: x } }
  const minusAbs: Term = { op: 'mul', a: { op: 'constant', value: -1 }, b: { op: 'abs', a: x } }
  const decay: Term = { op: 'exp', a: minusAbs }
  return {
    op: 'div',
    a: { op: 'whereNegative', a: x, b: decay },
    b: { op: 'add', a: one, b: decay },
  }
}

/**
 * a·σ(¦x¦)/b becomes a / ((1 + e⁻¦ˣ¦)·b): one division and one rounding fewer. The denominator of σ
 * lies in [1, 2], so this adds no overflow.
 */
function binary(op: Binary, a: Term, b: Term): Term {
  if (op === 'mul' && isLogisticQuotient(b)) {
    return { op: 'div', a: product(a, b.a), b: b.b }
  }
  if (op === 'mul' && isLogisticQuotient(a)) {
    return { op: 'div', a: product(b, a.a), b: a.b }
  }
  if (op === 'div' && isLogisticQuotient(a)) {
    return { op: 'div', a: a.a, b: { op: 'mul', a: a.b, b } }
  }
  return { op, a, b }
}

const product = (a: Term, b: Term): Term => (b === one ? a : { op: 'mul', a, b })

type Quotient = { readonly op: 'div'; readonly a: Term; readonly b: Term }

const isLogisticQuotient = (term: Term): term is Quotient =>
  term.op === 'div' && term.b.op === 'logistic'

/** Whether a term is at least zero whatever its inputs; false if its operations do not tell. */
function isNonNegative(term: Term): boolean {
  switch (term.op) {
    case 'constant':
      return term.value >= 0
    case 'abs':
    case 'sqrt':
    case 'exp':
    case 'logistic':
      return true
    case 'mul':
      return term.a === term.b || (isNonNegative(term.a) && isNonNegative(term.b))
    case 'add':
    case 'div':
    case 'min':
      return isNonNegative(term.a) && isNonNegative(term.b)
    default:
      return false
  }
}
