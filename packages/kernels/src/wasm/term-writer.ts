import type { Assembler } from './assembler.ts'
import { exponential, logistic } from './exp.ts'
import { operandsOf, type Term } from './lowering.ts'

type Product = Term & { readonly op: 'mul' }

/** Pushes the operands of terms for one vector of each array. */
export interface OperandWriter {
  /** Pushes a vector of an array. */
  array(name: string): void
  /** Pushes a coefficient in every lane. */
  coefficient(name: string): void
}

/** Writes terms for one vector of each array. A term that is used again is kept in a local. */
export class TermWriter {
  readonly #asm: Assembler
  readonly #operands: OperandWriter
  readonly #uses: ReadonlyMap<Term, number>
  readonly #computed = new Map<Term, number>()

  /** @param terms - all that will be pushed from outside, each once. */
  constructor(asm: Assembler, operands: OperandWriter, terms: readonly Term[]) {
    this.#asm = asm
    this.#operands = operands
    this.#uses = useCounts(terms)
  }

  /** Pushes the value of a term. */
  push(term: Term): void {
    const computed = this.#computed.get(term)
    if (computed !== undefined) {
      this.#asm.get(computed)
      return
    }
    this.#compute(term)
    if (term.op === 'constant' || term.op === 'coefficient' || this.#uses.get(term) === 1) return
    const local = this.#asm.local()
    this.#computed.set(term, local)
    this.#asm.tee(local)
  }

  #compute(term: Term): void {
    const asm = this.#asm
    switch (term.op) {
      case 'constant':
        asm.constant(term.value)
        break
      case 'coefficient':
        this.#operands.coefficient(term.name)
        break
      case 'array':
        this.#operands.array(term.name)
        break
      case 'exp':
        exponential(asm, () => this.push(term.a))
        break
      case 'logistic':
        logistic(asm, () => this.push(term.a))
        break
      case 'whereNegative':
        this.#whereNegative(term.a, term.b)
        break
      case 'sign':
        this.#sign(term.a)
        break
      case 'add':
        this.#add(term.a, term.b)
        break
      case 'sub':
        this.#subtract(term.a, term.b)
        break
      case 'min':
      case 'max':
        this.#bound(term.op, term.a, term.b)
        break
      default:
        for (const operand of operandsOf(term)) this.push(operand)
        asm.operation(term.op)
    }
  }

  #add(a: Term, b: Term): void {
    const [product, other] = this.#isFusible(a) ? [a, b] : [b, a]
    if (this.#isFusible(product)) {
      this.#asm.multiplyAdd(
        () => this.push(product.a),
        () => this.push(product.b),
        () => this.push(other),
      )
    } else {
      this.push(a)
      this.push(b)
      this.#asm.operation('add')
    }
  }

  #subtract(a: Term, b: Term): void {
    if (this.#isFusible(b)) {
      this.#asm.subtractProduct(
        () => this.push(a),
        () => this.push(b.a),
        () => this.push(b.b),
      )
    } else {
      this.push(a)
      this.push(b)
      this.#asm.operation('sub')
    }
  }

  /** Whether a term is a product with a single use, which the sum that uses it can fuse. */
  #isFusible(term: Term): term is Product {
    return term.op === 'mul' && this.#uses.get(term) === 1
  }

  /**
   * The smaller or the larger one of two terms. Processors have one instruction for `pmin` and `pmax`, and need
   * about eight for `min` and `max`, which return NaN if either is NaN; the first two do so if the first one is.
   */
  #bound(op: 'min' | 'max', a: Term, b: Term): void {
    const [value, bound] = isScalar(a) ? [b, a] : [a, b]
    this.push(value)
    this.push(bound)
    this.#asm.operation(isScalar(bound) ? `p${op}` : op)
  }

  #sign(x: Term): void {
    const asm = this.#asm
    this.push(x)
    const value = asm.local()
    asm.set(value)
    asm.constant(1)
    asm.constant(-1)
    asm.get(value)
    asm.get(value)
    asm.constant(0)
    asm.operation('lt')
    asm.select() // −1 where x < 0, else x.
    asm.constant(0)
    asm.get(value)
    asm.operation('lt')
    asm.select()
  }

  #whereNegative(x: Term, value: Term): void {
    this.push(value)
    this.#asm.constant(1)
    this.push(x)
    this.#asm.constant(0)
    this.#asm.operation('lt')
    this.#asm.select()
  }
}

/** Whether a term is the same for all elements, and therefore no NaN: options are finite. */
const isScalar = ({ op }: Term): boolean => op === 'constant' || op === 'coefficient'

/** How many terms and outputs use each term. */
function useCounts(outputs: readonly Term[]): ReadonlyMap<Term, number> {
  const uses = new Map<Term, number>()
  const visit = (term: Term): void => {
    const before = uses.get(term) ?? 0
    uses.set(term, before + 1)
    if (before === 0) operandsOf(term).forEach(visit)
  }
  outputs.forEach(visit)
  return uses
}
