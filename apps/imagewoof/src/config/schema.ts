import { availableParallelism } from 'node:os'
import { fraction, nonNegative, type OptionRange, positive, positiveInteger } from '@diffgrad/core'
import * as z from 'zod'
import { centralShare } from '../data/loader/resample.ts'
import { architectures, rules, schedules } from './choices.ts'
import { isRuleModule, statisticsBatches } from './rule.ts'
import { ruleSettings } from './rule-settings.ts'

/** How a setting appears in the help of the command line. */
interface OptionHelp {
  readonly description: string
  /** Placeholder for the value; undefined for a flag. */
  readonly value?: string
  /** Heading that the option is listed under. */
  readonly group: string
}

declare module 'zod' {
  interface GlobalMeta extends Partial<OptionHelp> {}
}

const isFiniteNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)

const share: OptionRange = {
  text: 'in (0, 1]',
  includes: (value) => isFiniteNumber(value) && value > 0 && value <= 1,
}

const openShare: OptionRange = {
  text: 'in (0, 1)',
  includes: (value) => isFiniteNumber(value) && value > 0 && value < 1,
}

const probability: OptionRange = {
  text: 'in [0, 1]',
  includes: (value) => isFiniteNumber(value) && value >= 0 && value <= 1,
}

export const wholeNumber: OptionRange = {
  text: 'a whole number, at least 0',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
}

/** Seeds that pure-rand accepts. */
const seed: OptionRange = {
  text: 'a whole number in [0, 2³¹)',
  includes: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31,
}

/** Image sizes that an XResNet can halve five times. */
const imageSize: OptionRange = {
  text: 'a whole number of pixels, at least 17',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 17,
}

/** Widths of the first stage: the stem has half as many channels. */
const channels: OptionRange = {
  text: 'an even number, at least 2',
  includes: (value) => Number.isSafeInteger(value) && Number(value) >= 2 && Number(value) % 2 === 0,
}

const mustBe =
  (text: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `must be ${text}, but is ${input}`

const numeric = ({ text, includes }: OptionRange) =>
  z.custom<number>((value) => includes(value), { error: mustBe(text) })

const choice = <const T extends readonly string[]>(names: T) =>
  z.enum(names, { error: mustBe(`one of ${names.join(', ')}`) })

const flag = () => z.boolean({ error: mustBe('true or false') })

const text = () => z.string({ error: mustBe('a text') }).min(1, { error: 'must not be empty' })

const helpIn = (group: string) => (description: string, value?: string) => ({
  group,
  description,
  ...(value !== undefined && { value }),
})
const [data, network, images, optimizer, training] = [
  helpIn('Data:'),
  helpIn('Network:'),
  helpIn('Images:'),
  helpIn('Optimizer:'),
  helpIn('Training:'),
]
/** A field for each option that only some rules have. `Config` has those that the presets name. */
const ruleFields: object = Object.fromEntries(
  ruleSettings.map(({ key, range, description }) => {
    const isFlag = range.choices?.includes(true)
    const field = isFlag ? flag() : numeric(range)
    const help = optimizer(description, isFlag ? undefined : '<number>')
    return [key, field.optional().meta(help)]
  }),
)

const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) =>
  // The keys of a literal table are those of its type.
  Object.keys(table) as K[]

/** All settings of a training. config.json is one of these, resolved. */
export const schema = z.strictObject({
  data: text()
    .default('shapes')
    .meta(data('a folder, an archive or its URL, a CSV, or the name of a data set', '<source>')),
  validation: numeric(openShare)
    .optional()
    .meta(
      data('share to draw for validation, from data without a split (default: 0.2)', '<share>'),
    ),
  exclude: z
    .array(text())
    .min(1, { error: 'must name a pattern' })
    .optional()
    .meta(data('leave out paths that match; separate patterns by commas, or repeat', '<glob>')),
  trainImages: numeric(positiveInteger)
    .optional()
    .meta(
      data(
        'train on so many images, the same share of every class; all seeds see the same (default: all)',
        '<count>',
      ),
    ),
  validationImages: numeric(positiveInteger)
    .optional()
    .meta(data('validate on so many images, drawn likewise (default: all)', '<count>')),
  holdOut: numeric(openShare)
    .optional()
    .meta(
      data(
        'share of the training images to validate on, instead of training on them; the validation images stay unseen, for a choice of settings',
        '<share>',
      ),
    ),
  size: numeric(imageSize).default(64).meta(data('image size (edge length)', '<pixels>')),

  architecture: choice(keysOf(architectures))
    .default('xresnet18')
    .meta(network('network', '<name>')),
  activation: choice(['relu', 'mish']).default('relu').meta(network('activation', '<name>')),
  selfAttention: flag()
    .default(false)
    .meta(network('simple self-attention after the first stage, or the fourth from the end')),
  spectralNorm: flag()
    .default(false)
    .meta(network('divide the projection of --self-attention by its spectral norm, as fastai')),
  stem: choice(['standard', 'small'])
    .optional()
    .meta(
      network(
        'stem of an XResNet; small: stride 1 and no pool, for images of about 32 pixels (default: standard)',
        '<name>',
      ),
    ),
  pool: choice(['max', 'max-blur'])
    .optional()
    .meta(
      network(
        'pool of the standard stem; max-blur: a maximum and a binomial filter (default: max)',
        '<name>',
      ),
    ),
  width: numeric(channels).default(64).meta(network('channels of the first stage', '<channels>')),
  backbone: text()
    .optional()
    .meta(network('fine-tune this transformers.js folder or hub model', '<source>')),
  from: text()
    .optional()
    .meta(network('start from the weights of this run, at any image size', '<run>')),
  checkpoint: choice(['best', 'last'])
    .optional()
    .meta(network('which checkpoint of that run (default: best)', '<kind>')),
  tune: text()
    .regex(/^(?:all|head|head:[1-9]\d*,all)$/, {
      error: mustBe('all, head, or head:<epochs>,all'),
    })
    .optional()
    .meta(
      network(
        'which parameters of a backbone or of --from to train: all, head, or head:3,all for three epochs of the head and then all (default: all)',
        '<parameters>',
      ),
    ),

  batch: numeric(positiveInteger).default(64).meta(images('batch size', '<count>')),
  crop: numeric(share)
    .default(0.35)
    .meta(images('smallest area of a random crop, as a share of the image', '<share>')),
  pad: numeric(wholeNumber)
    .default(0)
    .meta(
      images(
        'instead of --crop: pad the image on each side, and crop to its size at random',
        '<pixels>',
      ),
    ),
  padMode: choice(['reflect', 'zeros'])
    .optional()
    .meta(
      images(
        'what --pad adds; zeros: black, as RandomCrop of torchvision (default: reflect)',
        '<name>',
      ),
    ),
  validationCrop: numeric(share)
    .default(centralShare)
    .meta(
      images(
        'central share of the shorter side that is seen in validation; with --pad, 1 by default',
        '<share>',
      ),
    ),
  flip: flag().default(true).meta(images('disable random horizontal flips')),
  erase: numeric(probability)
    .default(0)
    .meta(images('probability of erasing a random rectangle of an image', '<probability>')),
  mixup: numeric(nonNegative).default(0).meta(images('α of mixup, 0 for none', '<alpha>')),
  labelSmoothing: numeric(fraction)
    .default(0.1)
    .meta(images('share of a target spread over all classes', '<share>')),
  classWeights: choice(['none', 'balanced'])
    .default('none')
    .meta(
      images('weights of the classes in the loss; balanced: inverse to their frequency', '<kind>'),
    ),

  optimizer: text()
    .refine((name) => Object.hasOwn(rules, name) || isRuleModule(name), {
      error: mustBe(
        `one of ${keysOf(rules).join(', ')}, or the path of a module, such as ./rule.mjs`,
      ),
    })
    .default('diffgrad')
    .meta(
      optimizer(
        `update rule: ${keysOf(rules).join(', ')}, or the path of a module that exports one; those of Schedule-Free are evaluated at their averaged weights, with running statistics of ${statisticsBatches} training batches of the epoch`,
        '<name>',
      ),
    ),
  /** SHA-256 of the module of `optimizer`; recorded, not an option. */
  optimizerHash: text().optional(),
  learningRate: numeric(positive).default(4e-3).meta(optimizer('learning rate', '<rate>')),
  weightDecay: numeric(nonNegative)
    .default(1e-2)
    .meta(optimizer('weight decay; biases and norms are exempt', '<rate>')),
  decay: choice(['decoupled', 'l2', 'proximal', 'scaled'])
    .optional()
    .meta(optimizer('kind of weight decay (default: decoupled, or that of the rule)', '<kind>')),
  ...ruleFields,
  clip: numeric(positive)
    .optional()
    .meta(optimizer('largest global norm of the gradients', '<norm>')),
  accumulate: numeric(positiveInteger)
    .default(1)
    .meta(optimizer('batches per update (gradient accumulation)', '<count>')),
  ema: numeric(fraction)
    .optional()
    .meta(optimizer('evaluate a moving average of the weights with this decay', '<share>')),
  emaWarmup: flag()
    .default(false)
    .meta(optimizer('raise the decay of --ema from 0 in the first updates, as timm does')),

  epochs: numeric(positiveInteger).default(5).meta(training('epochs', '<count>')),
  schedule: choice(keysOf(schedules))
    .default('flat-cosine')
    .meta(training('learning-rate schedule', '<name>')),
  flat: numeric(fraction)
    .optional()
    .meta(training('share of the steps before flat-cosine falls (default: 0.72)', '<share>')),
  warmup: numeric(nonNegative)
    .default(0)
    .meta(
      training(
        'epochs, or a fraction of one, over which the learning rate rises to its full value before the schedule starts; for one-cycle and inverse-square-root, the length of their rise',
        '<epochs>',
      ),
    ),
  patience: numeric(positiveInteger)
    .optional()
    .meta(
      training(
        'stop after so many epochs without a better validation top-1; the schedule is still that of all --epochs',
        '<epochs>',
      ),
    ),
  seed: numeric(seed)
    .default(1)
    .meta(training('seed of the weights, the batches and the augmentation', '<number>')),
  engine: choice(['onnxruntime', 'tfjs'])
    .default('onnxruntime')
    .meta(training('training backend', '<name>')),
  threads: numeric(positiveInteger)
    .default(availableParallelism())
    .meta(training('threads of onnxruntime; tfjs uses one, or a graphics card', '<count>')),
  saveEvery: numeric(nonNegative)
    .default(120)
    .meta(training('seconds between checkpoints within an epoch', '<seconds>')),
})

/** Why a setting cannot have a value, apart from what other settings demand; undefined if it can. */
export function settingIssue(key: string, value: unknown): string | undefined {
  const [, field] = Object.entries(schema.shape).find(([name]) => name === key) ?? []
  return field?.safeParse(value).error?.issues[0]?.message
}
