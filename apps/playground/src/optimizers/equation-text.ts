import { type Expression, numbers, operands } from '@diffgrad/core'

/** A printed expression. */
interface Term {
  readonly text: string
  /** What binds its parts: a sum the least, an atom such as `v` or `√v` the most. */
  readonly kind: 'sum' | 'product' | 'quotient' | 'atom'
}

/** How the leaves of an expression are printed, and the nodes that have a name of their own. */
export interface EquationStyle {
  /** Undefined if the node is printed as its operation. */
  leaf(node: Expression): string | undefined
  /** Between the factors of a product: empty, or a dot between numbers. */
  readonly times: '' | '·'
}

/** Prints the expression of a node as mathematics: `θ − αₜξm / (√v + ε)`. */
export function equationText(root: Expression, { leaf, times }: EquationStyle): string {
  const named = (text: string): Term => ({
    text,
    kind: text.includes(' − ') ? 'sum' : 'atom',
  })
  const term = (node: Expression): Term => {
    const text = node === root && 'a' in node ? undefined : leaf(node)
    return text === undefined ? operation(node) : named(text)
  }
  const operation = (node: Expression): Term => {
    const [a, b] = operands(node).map(term)
    switch (node.op) {
      case 'add':
        return { text: `${a.text} + ${signed(b)}`, kind: 'sum' }
      case 'sub':
        return { text: `${a.text} − ${b.kind === 'sum' ? enclosed(b) : signed(b)}`, kind: 'sum' }
      case 'mul':
        if (node.a === node.b) return { text: `${atom(a)}²`, kind: 'atom' }
        return { text: product(factor(a), factor(b), times), kind: 'product' }
      case 'div':
        return { text: `${factor(a)} / ${atom(b)}`, kind: 'quotient' }
      case 'sqrt':
        return { text: `√${atom(a)}`, kind: 'atom' }
      case 'abs':
        return { text: `|${a.text}|`, kind: 'atom' }
      case 'sigmoid':
        return { text: `σ(${a.text})`, kind: 'atom' }
      case 'sign':
      case 'exp':
        return { text: `${node.op}(${a.text})`, kind: 'atom' }
      case 'min':
      case 'max':
        return { text: `${node.op}(${a.text}, ${b.text})`, kind: 'atom' }
      default:
        throw new TypeError(`a ${node.op} has no text`)
    }
  }
  return term(root).text
}

const enclosed = ({ text }: Term): string => `(${text})`

/** An operand after a sign of its own: a negative number is enclosed. */
const signed = (term: Term): string => (term.text.startsWith('−') ? enclosed(term) : term.text)

const factor = (term: Term): string =>
  term.kind === 'sum' || term.kind === 'quotient' ? enclosed(term) : signed(term)

const atom = (term: Term): string => (term.kind === 'atom' ? signed(term) : enclosed(term))

/** Numbers, and the names of functions, are not read as factors of their own without a dot. */
const product = (a: string, b: string, times: string): string =>
  `${a}${/^(\d|½|min|max|sign|exp)/.test(b) ? '·' : times}${b}`

/**
 * The value of each node of an expression.
 *
 * @param leaf - the value of an array or a coefficient.
 */
export function evaluator(
  leaf: (node: Extract<Expression, { name: string }>) => number,
): (node: Expression) => number {
  const values = new Map<Expression, number>()
  const compute = (node: Expression): number => {
    switch (node.op) {
      case 'constant':
        return node.value
      case 'array':
      case 'coefficient':
        return leaf(node)
      default: {
        const [a, b] = operands(node).map(value)
        return numbers[node.op](a, b)
      }
    }
  }
  const value = (node: Expression): number => {
    const known = values.get(node) ?? compute(node)
    values.set(node, known)
    return known
  }
  return value
}
