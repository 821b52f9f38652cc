import type { Assembler } from './assembler.ts'
import { exponential, logistic } from './exponential.ts'
import { operandsOf, type Term } from './lower.ts'

/** Where a turn of the loop finds what it works on: locals by name. */
export interface Places {
  /** Addresses, for this turn `offset` bytes too low. */
  readonly pointers: Readonly<Record<string, number>>
  readonly scalars: Readonly<Record<string, number>>
  readonly offset: number
}

type Product = Term & { readonly op: 'mul' }

/** Writes the work on one vector of each array. */
export class LoopBody {
  readonly #asm: Assembler
  readonly #places: Places
  readonly #uses: ReadonlyMap<Term, number>
  readonly #kept = new Map<Term, number>()

  /** @param outputs - what each written array takes its new elements from. */
  constructor(
    asm: Assembler,
    places: Places,
    outputs: readonly (readonly [array: string, term: Term])[],
    flush: boolean,
  ) {
    this.#asm = asm
    this.#places = places
    this.#uses = usesOf(outputs.map(([, term]) => term))
    const results = outputs.map(([array, term]) => {
      this.#push(term)
      if (flush && isRunningAverage(array, term)) this.#dropNegligible()
      const result = asm.local()
      asm.set(result)
      return { array, result }
    })
    for (const { array, result } of results) {
      asm.get(places.pointers[array])
      asm.get(result)
      asm.memory('store', places.offset)
    }
  }

  /** Pushes the value of a term; one that is needed again is kept. */
  #push(term: Term): void {
    const known = this.#kept.get(term)
    if (known !== undefined) {
      this.#asm.get(known)
      return
    }
    this.#compute(term)
    if (term.op === 'constant' || term.op === 'coefficient' || this.#uses.get(term) === 1) return
    const local = this.#asm.local()
    this.#kept.set(term, local)
    this.#asm.tee(local)
  }

  #compute(term: Term): void {
    const asm = this.#asm
    switch (term.op) {
      case 'constant':
        asm.constant(term.value)
        break
      case 'coefficient':
        asm.get(this.#places.scalars[term.name])
        break
      case 'array':
        asm.get(this.#places.pointers[term.name])
        asm.memory('load', this.#places.offset)
        break
      case 'exp':
        exponential(asm, () => this.#push(term.a))
        break
      case 'logistic':
        logistic(asm, () => this.#push(term.a))
        break
      case 'tail':
        this.#tail(term.a, term.b)
        break
      case 'add':
        this.#add(term.a, term.b)
        break
      case 'sub':
        this.#subtract(term.a, term.b)
        break
      default:
        for (const operand of operandsOf(term)) this.#push(operand)
        asm.operation(term.op)
    }
  }

  #add(a: Term, b: Term): void {
    const [product, other] = this.#isProduct(a) ? [a, b] : [b, a]
    if (this.#isProduct(product)) {
      this.#asm.multiplyAdd(
        () => this.#push(product.a),
        () => this.#push(product.b),
        () => this.#push(other),
      )
    } else {
      this.#push(a)
      this.#push(b)
      this.#asm.operation('add')
    }
  }

  #subtract(a: Term, b: Term): void {
    if (this.#isProduct(b)) {
      this.#asm.subtractProduct(
        () => this.#push(a),
        () => this.#push(b.a),
        () => this.#push(b.b),
      )
    } else {
      this.#push(a)
      this.#push(b)
      this.#asm.operation('sub')
    }
  }

  /** A product that is needed for nothing but one sum can be fused with it. */
  #isProduct(term: Term): term is Product {
    return term.op === 'mul' && this.#uses.get(term) === 1
  }

  #tail(x: Term, below: Term): void {
    this.#push(below)
    this.#asm.constant(1)
    this.#push(x)
    this.#asm.constant(0)
    this.#asm.operation('lt')
    this.#asm.select()
  }

  /** Replaces what is negligible on top of the stack by zero. A comparison with NaN fails. */
  #dropNegligible(): void {
    const asm = this.#asm
    const value = asm.local()
    asm.set(value)
    asm.constant(0)
    asm.get(value)
    asm.get(value)
    asm.operation('abs')
    asm.constant(asm.lanes.negligible)
    asm.operation('lt')
    asm.select()
  }
}

/** Whether what is remembered is computed from its own past. The parameter itself is no memory. */
const isRunningAverage = (array: string, term: Term): boolean =>
  array !== 'theta' && dependsOn(term, array)

const dependsOn = (term: Term, array: string): boolean =>
  term.op === 'array' ? term.name === array : operandsOf(term).some((a) => dependsOn(a, array))

/** How many terms and outputs take each term. */
function usesOf(outputs: readonly Term[]): ReadonlyMap<Term, number> {
  const uses = new Map<Term, number>()
  const visit = (term: Term): void => {
    const before = uses.get(term) ?? 0
    uses.set(term, before + 1)
    if (before === 0) for (const operand of operandsOf(term)) visit(operand)
  }
  for (const term of outputs) visit(term)
  return uses
}
