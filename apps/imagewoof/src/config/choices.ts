import {
  allRules,
  cosine,
  flatCosine,
  inverseSquareRoot,
  linear,
  oneCycle,
  plateau,
  polynomial,
  type Schedule,
} from '@diffgrad/core'
import {
  seResNet18,
  type XResNetPreset,
  xResNet18,
  xResNet18Deep,
  xResNet18Deeper,
  xResNet34,
  xResNet34Deep,
  xResNet34Deeper,
  xResNet50,
  xResNet50Deep,
  xResNet50Deeper,
} from '@diffgrad/onnx'

// Tables from names on the command line to what they select.

/** Update rules: the values of `--optimizer`. */
export const rules = Object.fromEntries(allRules.map((rule) => [rule.name.toLowerCase(), rule]))

/** Networks: the values of `--architecture`. */
export const architectures = {
  xresnet18: xResNet18,
  xresnet34: xResNet34,
  xresnet50: xResNet50,
  'xresnet18-deep': xResNet18Deep,
  'xresnet34-deep': xResNet34Deep,
  'xresnet50-deep': xResNet50Deep,
  'xresnet18-deeper': xResNet18Deeper,
  'xresnet34-deeper': xResNet34Deeper,
  'xresnet50-deeper': xResNet50Deeper,
  seresnet18: (classes, { width = 64, activation } = {}) =>
    seResNet18(classes, { width, ...(activation && { activation }) }),
} as const satisfies Readonly<Record<string, XResNetPreset>>

interface ScheduleOptions {
  readonly learningRate: number
  /** Optimizer updates in the whole training. */
  readonly updates: number
  /** Share of the updates before `flat-cosine` starts to fall, in [0, 1). */
  readonly flat?: number | undefined
  /** Share of the updates before the peak of `one-cycle` and `inverse-square-root`, in [0, 1). */
  readonly rise?: number | undefined
}

/** Learning-rate schedules: the values of `--schedule`. Fewer than two updates get a constant rate. */
export const schedules = {
  'flat-cosine': ({ learningRate: from, updates, flat }: ScheduleOptions): Schedule | number =>
    updates < 2
      ? from
      : flatCosine({ from, steps: updates, ...(flat !== undefined && { start: flat }) }),
  cosine: ({ learningRate: from, updates }: ScheduleOptions): Schedule | number =>
    cosine({ from, steps: updates }),
  linear: ({ learningRate: from, updates }: ScheduleOptions): Schedule | number =>
    linear({ from, steps: updates }),
  /** (1 − the completed share)². */
  polynomial: ({ learningRate: from, updates }: ScheduleOptions): Schedule | number =>
    polynomial({ from, steps: updates, power: 2 }),
  'one-cycle': ({ learningRate: peak, updates, rise }: ScheduleOptions): Schedule | number =>
    updates < 2 ? peak : oneCycle({ peak, steps: updates, start: rise }),
  /** Divides the rate by ten after two consecutive epochs without a lower validation loss. */
  plateau: ({ learningRate: from }: ScheduleOptions): Schedule | number =>
    plateau({ from, patience: 1 }),
  'inverse-square-root': ({
    learningRate: peak,
    updates,
    rise = 0,
  }: ScheduleOptions): Schedule | number =>
    inverseSquareRoot({ peak, warmup: Math.max(Math.round(rise * updates), 1) }),
  constant: ({ learningRate }: ScheduleOptions): Schedule | number => learningRate,
} as const
