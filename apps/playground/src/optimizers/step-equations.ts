import {
  type Expression,
  type Kernel,
  numbers,
  optionTextOf,
  type Scalars,
  stepKernels,
  trace,
  type UpdateRule,
  type Values,
} from '@diffgrad/core'
import { formatSignificant } from '../format.ts'
import type { OptimizerConfig } from './config.ts'
import { equationText, evaluator } from './equation-text.ts'
import { optimizers } from './registry.ts'

/** Values by the names of core: θ, g, optimizer state, intermediates. One number for each variable. */
export type Vectors = Readonly<Record<string, readonly number[]>>

/** What a step started from. */
export interface StepInputs {
  /** `theta`, `g` and the optimizer state before the step. */
  readonly values: Vectors
  /** The scalar state before the step. */
  readonly scalars: Scalars
}

/** One equation of a step. */
export interface StepEquation {
  /** What it computes, by the name that core has for it; the evaluation point is `average`. */
  readonly name: string
  /** What it computes, in a few words. */
  readonly meaning: string
  /** `ξ = σ(|p − g|)` */
  readonly symbols: string
  /** The right-hand side with the values of the first variable, rounded: `σ(|−2.6 − (−2.54)|)`; empty for a copy. */
  readonly numbers: string
  /** What it computes, for each variable. */
  readonly result: readonly number[]
}

/** The letters of docs/rule.md, and what they mean. */
const letters: Readonly<Record<string, readonly [symbol: string, meaning: string]>> = {
  theta: ['θ', 'the parameter'],
  g: ['g', 'gradient'],
  previousGradient: ['p', 'previous gradient'],
  m: ['m', 'mean of gradients'],
  m2: ['m₂', 'slow mean of gradients'],
  v: ['v', 'mean of their squares'],
  vMax: ['w', 'largest v so far'],
  s: ['s', 'moving average'],
  d: ['d', 'mean of changes'],
  previousTangent: ['tan A′', 'of the previous angle'],
  xi: ['ξ', 'friction'],
  phi: ['φ', 'friction'],
  z: ['z', 'iterate'],
  average: ['x', 'the average, which is evaluated'],
}

/** The letters of coefficients that are no options: those that a step computes of them. */
const coefficientLetters: Readonly<Record<string, string>> = {
  stepSize: 'αₜ',
  momentumStep: 'αₜ',
  gradientStep: 'αₜ′',
  changeStep: 'αₜ′',
  slowStep: 'αₜ′',
  epsilonHat: 'εₜ',
  decayStep: 'λₜ',
  beta3: 'β₃',
  dampening: 'd',
  changeWeight: 'β₂',
  correction: 'cₜ',
  lambda: 'λ',
  alpha: 'α',
  scale: 'sₜ',
  bound: 'bₜ',
  minusBound: '−bₜ',
  stepZ: 'γₜ',
  stepY: 'γₜ′',
  toZ: 'κₜ',
  beyond: 'κ',
}

const average = 'average'

/**
 * The equations of step t of an optimizer, counted from 1, as its rule computes them with its options: a rule is a
 * function over any arithmetic, so its expression graph is printed, once with letters and once with numbers.
 * Each equation comes after those whose results it needs. Without inputs, they have no numbers.
 */
export function stepEquations(
  { name, options }: OptimizerConfig,
  t: number,
  { values, scalars }: StepInputs = { values: { theta: [] }, scalars: {} },
): readonly StepEquation[] {
  const { rule } = optimizers[name]
  const step = stepKernels(rule, { ...rule.defaults, ...options }, t)
  const axes = values.theta.map((_, axis) => valuesAt(values, axis))
  let coefficients: Values<number> = {
    ...step.coefficients,
    ...rule.evaluationPoint?.coefficients(step.nextScalars),
  }
  for (const { elements, scalars: dependent } of step.sums) {
    const terms = axes.map((own) => elements.evaluate(numbers, own, coefficients))
    const sums = Object.fromEntries(
      elements.writes.map((sum) => [sum, terms.reduce((total, term) => total + term[sum], 0)]),
    )
    const known = { ...coefficients, ...scalars }
    coefficients = { ...coefficients, ...dependent.evaluate(numbers, sums, known) }
  }
  const { nodes, outputs } = trace(stepKernel(rule, step.inspect, step.update))
  const letterOf = (array: string): string =>
    array === 'theta' && rule.evaluationPoint ? 'y' : (letters[array]?.[0] ?? array)
  // p is written last: until then its letter means the previous one.
  const isKept = ([array]: readonly [string, Expression]): boolean => array.startsWith('previous')
  const named = new Map(
    outputs.filter((output) => !isKept(output)).map(([array, node]) => [node, letterOf(array)]),
  )
  const evaluators = axes.map((own) =>
    evaluator((leaf) => (leaf.op === 'array' ? own[leaf.name] : coefficients[leaf.name])),
  )
  const letter = (node: Expression): string | undefined => {
    if (node.op === 'array') return letterOf(node.name)
    if (node.op === 'coefficient') return coefficientLetter(rule, node.name)
    if (node.op === 'constant') return node.value === 0.5 ? '½' : formatSignificant(node.value)
    return named.get(node)
  }
  const number = (node: Expression): string | undefined =>
    'a' in node && !named.has(node) ? undefined : formatSignificant(evaluators[0](node))
  const intermediates = new Set([average, ...(rule.intermediates ?? [])])
  return outputs
    .toSorted(
      (a, b) => Number(isKept(a)) - Number(isKept(b)) || nodes.indexOf(a[1]) - nodes.indexOf(b[1]),
    )
    .map(([array, node]) => ({
      name: array,
      meaning: meaningOf(rule, array),
      symbols: `${letterOf(array)} ${intermediates.has(array) ? '=' : '←'} ${equationText(node, { leaf: letter, times: '' })}`,
      numbers:
        axes.length > 0 && 'a' in node ? equationText(node, { leaf: number, times: '·' }) : '',
      result: evaluators.map((value) => value(node)),
    }))
}

const valuesAt = (values: Vectors, axis: number): Values<number> =>
  Object.fromEntries(Object.entries(values).map(([name, vector]) => [name, vector[axis]]))

/** One kernel of all that a step computes, so that its equations share their nodes. */
const stepKernel = (rule: UpdateRule, inspect: Kernel, update: Kernel): Kernel => ({
  ...update,
  coefficients: [
    ...update.coefficients,
    ...Object.keys(rule.evaluationPoint?.coefficients({}) ?? {}),
  ],
  writes: [
    ...(rule.intermediates ?? []),
    ...update.writes,
    ...(rule.evaluationPoint ? [average] : []),
  ],
  evaluate(arithmetic, values, c) {
    const updated = update.evaluate(arithmetic, values, c)
    return {
      ...inspect.evaluate(arithmetic, values, c),
      ...updated,
      ...(rule.evaluationPoint && {
        [average]: rule.evaluationPoint.evaluate(
          arithmetic,
          { ...updated, theta: updated.theta },
          c,
        ),
      }),
    }
  },
})

function meaningOf({ evaluationPoint, transforms }: UpdateRule, array: string): string {
  const [, meaning = ''] = letters[array] ?? []
  if (array !== 'theta') return meaning
  if (evaluationPoint) return `${meaning}, where gradients are computed`
  return transforms?.lookahead ? `${meaning}, before Lookahead` : meaning
}

function coefficientLetter(rule: UpdateRule, name: string): string {
  const [, complement] = /^oneMinus(\w+)$/.exec(name) ?? []
  if (complement !== undefined) {
    return `1 − ${coefficientLetter(rule, complement[0].toLowerCase() + complement.slice(1))}`
  }
  return optionTextOf(rule, name).symbol ?? coefficientLetters[name] ?? name
}
