import type { Kernel } from '../kernel.ts'
import {
  checkRange,
  fraction,
  isPlainObject,
  type OptionRange,
  oneOf,
  positive,
  positiveInteger,
} from '../ranges.ts'
import { accumulateGradient, setGradient } from './accumulate.ts'
import { type Clipping, clipByValue, scaleGradient } from './clip.ts'
import { type Ema, emaInit, emaSwap, emaUpdate } from './ema.ts'
import { type Lookahead, lookaheadInit, lookaheadSync } from './lookahead.ts'

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
}

/** The transforms around a rule. All are off by default, unless the rule has other defaults. */
export interface Transforms extends GradientTransforms {
  /** Whether a step with a NaN or an infinity in any gradient changes nothing. */
  readonly skipNotFinite: boolean
  readonly lookahead: Lookahead | false
  readonly ema: Ema | false
}

const off: Transforms = {
  accumulate: 1,
  centralize: false,
  clip: false,
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
  lookaheadInit,
  lookaheadSync,
  emaInit,
  emaUpdate,
  emaSwap,
]

/** The optimizer state of transforms: each name, with the transforms that need it. */
export const transformState: Readonly<Record<string, readonly (keyof Transforms)[]>> = {
  gradient: ['accumulate', 'centralize', 'clip'],
  slow: ['lookahead'],
  ema: ['ema'],
}

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
  rule: { readonly name: string; readonly transforms?: Partial<Transforms> },
  options: object,
): { readonly transforms: Transforms; readonly rest: object } {
  const defined = Object.entries(options).filter(([, value]) => value !== undefined)
  const isTransform = ([name]: readonly [string, unknown]): boolean => Object.hasOwn(off, name)
  const transforms = checkedTransforms(rule.name, {
    ...off,
    ...rule.transforms,
    ...Object.fromEntries(defined.filter(isTransform)),
  })
  return { transforms, rest: Object.fromEntries(defined.filter((entry) => !isTransform(entry))) }
}

/** The names of the transforms in which two settings differ. */
export const differingTransforms = (a: Transforms, b: Transforms): readonly (keyof Transforms)[] =>
  (Object.keys(off) as (keyof Transforms)[]).filter(
    (name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]),
  )

const boolean = oneOf(false, true)

const ranges: readonly (readonly [transform: keyof Transforms, range: OptionRange])[] = [
  ['centralize', boolean],
  ['accumulate', positiveInteger],
  ['skipNotFinite', boolean],
]

/** The options of the transforms that are either false or an object. */
const nestedRanges: readonly (readonly [
  transform: keyof Transforms,
  ranges: Readonly<Record<string, OptionRange>>,
])[] = [
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
  ['ema', { decay: fraction }],
]

/**
 * A copy of transforms, which may come from a file: equal ones are equal as JSON.
 *
 * @throws RangeError naming the first transform that is out of range.
 */
export function checkedTransforms(
  name: string,
  transforms: { readonly [K in keyof Transforms]?: unknown },
): Transforms {
  for (const [transform, range] of ranges) {
    checkRange(name, transform, transforms[transform], range)
  }
  const copies = nestedRanges.map(([transform, nested]) => {
    const value = transforms[transform]
    if (value === false) return [transform, false] as const
    checkRange(name, transform, value, {
      text: `false or { ${Object.keys(nested).join(', ')} }`,
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
    const copy = Object.fromEntries(Object.keys(nested).map((key) => [key, values.get(key)]))
    return [transform, copy] as const
  })
  const plain = ranges.map(([transform]) => [transform, transforms[transform]] as const)
  const values = new Map<string, unknown>([...plain, ...copies])
  // Each value has been checked.
  return Object.fromEntries(
    transformNames.map((one) => [one, values.get(one)]),
  ) as unknown as Transforms
}
