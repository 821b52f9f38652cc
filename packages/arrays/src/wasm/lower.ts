import type { Binary, Expression, Graph, Unary } from '@diffgrad/core'

/**
 * What instructions are written from: expressions without `sigmoid`, which is spelled out in two
 * operations of its own, so that its division can be shared with another.
 */
export type Term =
  | { readonly op: 'constant'; readonly value: number }
  | { readonly op: 'array' | 'coefficient'; readonly name: string }
  /** `logistic` is 1 + e⁻ᵃ, for a ≥ 0. */
  | { readonly op: Exclude<Unary, 'sigmoid'> | 'logistic'; readonly a: Term }
  /** `tail` is b where a < 0, and elsewhere 1. */
  | { readonly op: Binary | 'tail'; readonly a: Term; readonly b: Term }

/** The terms that one term is computed from. */
export const operandsOf = (term: Term): readonly Term[] =>
  'b' in term ? [term.a, term.b] : 'a' in term ? [term.a] : []

/** The outputs of a graph as terms, with fewer divisions. */
export function lower({ nodes, outputs }: Graph): readonly (readonly [string, Term])[] {
  const terms = new Map<Expression, Term>()
  const of = (node: Expression): Term => terms.get(node) ?? termOf(node)
  const termOf = (node: Expression): Term => {
    if ('b' in node) return combined(node.op, of(node.a), of(node.b))
    if (!('a' in node)) return node
    return node.op === 'sigmoid' ? sigmoid(of(node.a)) : { op: node.op, a: of(node.a) }
  }
  for (const node of nodes) terms.set(node, termOf(node)) // Each once: equal nodes, one term.
  return outputs.map(([array, node]) => [array, of(node)])
}

const one: Term = { op: 'constant', value: 1 }

/** σ(x) = 1 / (1 + e⁻ˣ); where x may be negative, so that nothing overflows, e⁻¦ˣ¦ for x < 0. */
function sigmoid(x: Term): Term {
  if (isNonNegative(x)) return { op: 'div', a: one, b: { op: 'logistic', a: x } }
  const size: Term = { op: 'mul', a: { op: 'constant', value: -1 }, b: { op: 'abs', a: x } }
  const decay: Term = { op: 'exp', a: size }
  return {
    op: 'div',
    a: { op: 'tail', a: x, b: decay },
    b: { op: 'add', a: one, b: decay },
  }
}

/**
 * a·σ(¦x¦)/b becomes a / ((1 + e⁻¦ˣ¦)·b): one division and one rounding fewer. The denominator of σ
 * lies in [1, 2], so that nothing overflows that did not before.
 */
function combined(op: Binary, a: Term, b: Term): Term {
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

/** Whether a term is at least zero, as far as its own form tells. */
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
