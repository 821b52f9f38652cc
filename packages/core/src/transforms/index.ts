import type { Kernel } from '../kernel.ts'
import {
  boolean,
  checkRange,
  describe,
  fraction,
  isPlainObject,
  type OptionRange,
  oneOf,
  positive,
  positiveInteger,
} from '../ranges.ts'
import { accumulateGradient, setGradient } from './accumulate.ts'
import { type Clipping, clipByValue, scaleGradient } from './clip.ts'
import { copyWeights, type Ema, emaUpdate, swapWeights } from './ema.ts'
import { type Lookahead, lookaheadSync } from './lookahead.ts'

/** Transforms of the gradients before the rule, in the order in which they are applied. */
export interface GradientTransforms {
  /**
   * The number of calls of `step` per update, which uses the mean of their gradients: at least 1. A call
   * without a gradient for a parameter counts as a gradient of zero.
   */
  readonly accumulate: number
  /**
   * Whether to subtract the mean over all axes but the first from gradients of two axes or more.
   *
   * @see Yong et al., "Gradient Centralization", arXiv:2004.01461.
   */
  readonly centralize: boolean
  readonly clip: Clipping | false
  /** Whether to ascend: g ← −g, before anything else. An L2 decay still shrinks the weights. */
  readonly maximize: boolean
}

/** How many steps in a row may be skipped: at least 1. */
export interface SkipLimit {
  readonly limit: number
}

/** The transforms around a rule. All are off by default, unless the rule has other defaults. */
export interface Transforms extends GradientTransforms {
  /**
   * Whether a step moves only the elements in which it agrees with the gradient, by more, so that it keeps its size.
   *
   * @see Liang et al., "Cautious Optimizers", arXiv:2411.16085.
   */
  readonly cautious: boolean
  /**
   * Whether a step with a NaN or an infinity in any gradient changes nothing. After `limit` such steps in a
   * row, the next one is an error.
   *
   * @see optax.apply_if_finite, which applies that step instead.
   */
  readonly skipNotFinite: boolean | SkipLimit
  readonly lookahead: Lookahead | false
  readonly ema: Ema | false
}

const off: Transforms = {
  accumulate: 1,
  centralize: false,
  clip: false,
  maximize: false,
  cautious: false,
  skipNotFinite: false,
  lookahead: false,
  ema: false,
}

/** The names of all transforms. */
export const transformNames: readonly string[] = Object.keys(off)

/** All kernels of transforms, for backends that generate code ahead of time. */
export const transformKernels: readonly Kernel[] = [
  setGradient,
  accumulateGradient,
  clipByValue,
  scaleGradient,
  copyWeights,
  lookaheadSync,
  emaUpdate,
  swapWeights,
]

/** The optimizer state of transforms: each name, with the transforms that need it. */
export const transformState: Readonly<Record<string, readonly (keyof Transforms)[]>> = {
  gradient: ['accumulate', 'centralize', 'clip', 'maximize'],
  slow: ['lookahead'],
  ema: ['ema'],
}

/** The array that holds the parameters while the evaluation point of a rule is in their place. */
export const trainingWeights = 'training'

/** The names of the optimizer state beside that of a rule: of its transforms, and while weights are swapped. */
export const addedStateNames = (
  rule: { readonly evaluationPoint?: unknown },
  transforms: Transforms,
  swapped: boolean,
): readonly string[] =>
  swapped && rule.evaluationPoint
    ? [...transformStateNames(transforms), trainingWeights]
    : transformStateNames(transforms)

/** The names of the optimizer state that some transforms need. */
export const transformStateNames = (transforms: Transforms): readonly string[] =>
  Object.entries(transformState)
    .filter(([, users]) => users.some((transform) => transforms[transform] !== off[transform]))
    .map(([name]) => name)

/**
 * Splits options into transforms, completed by their defaults, and all others. Undefined options are
 * dropped. The transforms are copies.
 *
 * @throws RangeError naming the first transform that is out of range.
 */
export function splitTransforms(
  rule: {
    readonly name: string
    readonly transforms?: Partial<Transforms>
  },
  options: object,
): { readonly transforms: Transforms; readonly rest: object } {
  const defined = Object.entries(options).filter(([, value]) => value !== undefined)
  const isTransform = ([name]: readonly [string, unknown]): boolean => Object.hasOwn(off, name)
  const transforms = checkedTransforms(rule.name, {
    ...rule.transforms,
    ...Object.fromEntries(defined.filter(isTransform)),
  })
  return { transforms, rest: Object.fromEntries(defined.filter((entry) => !isTransform(entry))) }
}

/**
 * Checks that an optimizer has the transforms that a rule of one of its groups has by default, because transforms
 * are for all parameters.
 *
 * @throws RangeError naming the first transform that differs.
 */
export function checkTransformsOf(
  rule: { readonly name: string; readonly transforms?: Partial<Transforms> },
  transforms: Transforms,
): void {
  const differing = differingTransforms({ ...transforms, ...rule.transforms }, transforms)
  if (differing.length === 0) return
  const [name] = differing
  throw new RangeError(
    `${rule.name}: as the rule of a group it needs ${name} ${describe(rule.transforms?.[name])} for all parameters, but ${name} is ${describe(transforms[name])}`,
  )
}

/** @throws RangeError naming a transform of the weights that a rule with an evaluation point cannot have. */
export function checkWeightTransforms(
  { name, evaluationPoint }: { readonly name: string; readonly evaluationPoint?: unknown },
  transforms: Transforms,
): void {
  if (!evaluationPoint) return
  for (const transform of ['ema', 'lookahead', 'cautious'] as const) {
    checkRange(name, transform, transforms[transform], {
      text: 'false, because the rule averages its weights itself',
      includes: (value) => value === false,
    })
  }
}

/** The names of the transforms in which two settings differ. */
export const differingTransforms = (a: Transforms, b: Transforms): readonly (keyof Transforms)[] =>
  (Object.keys(off) as (keyof Transforms)[]).filter(
    (name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]),
  )

const ranges: readonly (readonly [transform: keyof Transforms, range: OptionRange])[] = [
  ['centralize', boolean],
  ['accumulate', positiveInteger],
  ['maximize', boolean],
  ['cautious', boolean],
]

const warmup: OptionRange = {
  text: 'omitted or { gamma, power }, both above 0',
  includes: (value) =>
    value === undefined ||
    (isPlainObject(value) &&
      `${Object.keys(value).toSorted()}` === 'gamma,power' &&
      Object.values(value).every(positive.includes)),
}

/** The options of the transforms that may be an object, and the values that they may have instead. */
const nestedRanges: readonly (readonly [
  transform: keyof Transforms,
  ranges: Readonly<Record<string, OptionRange>>,
  others?: readonly boolean[],
])[] = [
  ['skipNotFinite', { limit: positiveInteger }, [false, true]],
  ['clip', { by: oneOf('value', 'norm', 'globalNorm'), limit: positive }],
  [
    'lookahead',
    {
      every: positiveInteger,
      alpha: {
        text: 'in (0, 1]',
        includes: (value) => typeof value === 'number' && value > 0 && value <= 1,
      },
    },
  ],
  ['ema', { decay: fraction, warmup }],
]

/**
 * A copy of transforms, which may come from a file: equal ones are equal as JSON. Omitted ones are off.
 *
 * @throws RangeError naming the first transform that is out of range.
 */
export function checkedTransforms(
  name: string,
  transforms: { readonly [K in keyof Transforms]?: unknown },
): Transforms {
  const all: { readonly [K in keyof Transforms]: unknown } = { ...off, ...transforms }
  for (const [transform, range] of ranges) checkRange(name, transform, all[transform], range)
  const copies = nestedRanges.map(([transform, nested, others = [false]]) => {
    const value = all[transform]
    if (others.some((other) => other === value)) return [transform, value] as const
    checkRange(name, transform, value, {
      text: `${others.join(', ')} or { ${Object.keys(nested).join(', ')} }`,
      includes: isPlainObject,
    })
    const values = new Map<string, unknown>(Object.entries(value as object)) // A plain object.
    const unknown = [...values.keys()].find((option) => !Object.hasOwn(nested, option))
    if (unknown !== undefined) {
      throw new RangeError(
        `${name}: ${transform} has no option ${unknown}; it has ${Object.keys(nested).join(', ')}`,
      )
    }
    for (const [option, range] of Object.entries(nested)) {
      checkRange(name, `${transform}.${option}`, values.get(option), range)
    }
    const copy = Object.keys(nested).flatMap((key) => {
      const option = values.get(key)
      if (option === undefined) return []
      return [[key, isPlainObject(option) ? { ...option } : option] as const]
    })
    return [transform, Object.fromEntries(copy)] as const
  })
  const plain = ranges.map(([transform]) => [transform, all[transform]] as const)
  const values = new Map<string, unknown>([...plain, ...copies])
  // Each value has been checked.
  return Object.fromEntries(
    transformNames.map((one) => [one, values.get(one)]),
  ) as unknown as Transforms
}
