import { availableParallelism } from 'node:os'
import { fraction, nonNegative, type OptionRange, positive, positiveInteger } from '@diffgrad/core'
import { z } from 'zod'
import { architectures } from '../recipe/architectures.ts'
import { rules } from '../recipe/rules.ts'
import { schedules } from '../recipe/schedules.ts'
import { channels, edge, seed, share } from './ranges.ts'

/** How a field appears on the command line. */
interface Appearance {
  readonly description: string
  /** What stands for the value in the help; a flag has none. */
  readonly value?: string
  /** What the field is about: the help is sorted by it. */
  readonly group: string
}

declare module 'zod' {
  interface GlobalMeta extends Partial<Appearance> {}
}

const refusal =
  (text: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `must be ${text}, but is ${input}`

const numeric = ({ text, includes }: OptionRange) =>
  z.custom<number>((value) => includes(value), { error: refusal(text) })

const choice = <const T extends readonly string[]>(names: T) =>
  z.enum(names, { error: refusal(`one of ${names.join(', ')}`) })

const flag = () => z.boolean({ error: refusal('true or false') })

const text = () => z.string({ error: refusal('a text') }).min(1, { error: 'must not be empty' })

const of = (group: string) => (description: string, value?: string) => ({
  group,
  description,
  ...(value !== undefined && { value }),
})
const [data, network, pictures, optimizer, course] = [
  of('Data:'),
  of('Network:'),
  of('Pictures:'),
  of('Optimizer:'),
  of('Course:'),
]
const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) =>
  // The keys of a literal table are those of its type.
  Object.keys(table) as K[]

/** All that decides a training: config.json is one of these, resolved. */
export const schema = z.strictObject({
  data: text()
    .default('shapes')
    .meta(data('a folder, an archive, or the name of a data set', '<source>')),
  size: numeric(edge).default(64).meta(data('edge of the pictures trained on', '<pixels>')),

  architecture: choice(keysOf(architectures))
    .default('xresnet18')
    .meta(network('network', '<name>')),
  activation: choice(['relu', 'mish']).default('relu').meta(network('activation', '<name>')),
  selfAttention: flag().default(false).meta(network('simple self-attention in the first stage')),
  width: numeric(channels).default(64).meta(network('channels of the first stage', '<channels>')),
  backbone: text()
    .optional()
    .meta(network('fine-tune this transformers.js folder or hub model', '<source>')),
  tune: choice(['all', 'head'])
    .optional()
    .meta(network('what of the backbone is trained (default: all)', '<part>')),

  batch: numeric(positiveInteger).default(64).meta(pictures('pictures a step', '<count>')),
  crop: numeric(share)
    .default(0.35)
    .meta(pictures('smallest share of a picture that a random crop keeps', '<share>')),
  flip: flag().default(true).meta(pictures('mirror no picture')),
  mixup: numeric(nonNegative).default(0).meta(pictures('α of mixup, 0 for none', '<alpha>')),
  labelSmoothing: numeric(fraction)
    .default(0.1)
    .meta(pictures('share of a target spread over all classes', '<share>')),

  optimizer: choice(keysOf(rules)).default('diffgrad').meta(optimizer('update rule', '<name>')),
  learningRate: numeric(positive).default(4e-3).meta(optimizer('learning rate', '<rate>')),
  weightDecay: numeric(nonNegative)
    .default(1e-2)
    .meta(optimizer('weight decay, of weights but not of biases and norms', '<rate>')),
  decay: choice(['decoupled', 'l2'])
    .default('decoupled')
    .meta(optimizer('kind of weight decay', '<kind>')),
  beta1: numeric(fraction).optional().meta(optimizer('β₁ (default: 0.95)', '<share>')),
  beta2: numeric(fraction).optional().meta(optimizer('β₂ (default: 0.99)', '<share>')),
  epsilon: numeric(positive).optional().meta(optimizer('ε (default: 1e-6)', '<number>')),
  momentum: numeric(fraction)
    .optional()
    .meta(optimizer('momentum of sgd (default: 0.9)', '<share>')),
  nesterov: flag().optional().meta(optimizer("Nesterov's look ahead, for sgd")),
  amsgrad: flag().optional().meta(optimizer('AMSGrad, for adam and adamw')),
  friction: numeric({ text: '0, 1 or 2', includes: (v) => v === 0 || v === 1 || v === 2 })
    .optional()
    .meta(optimizer('version of ξ, for the diffGrad family', '<version>')),
  aliased: flag().optional().meta(optimizer('repeat the fault that makes ξ = ½')),
  memoryLength: numeric({
    text: 'a finite number, at least 1',
    includes: (v) => Number.isFinite(v) && Number(v) >= 1,
  })
    .optional()
    .meta(optimizer('steps that the bound of adamod and diffmod remembers', '<steps>')),
  clip: numeric(positive)
    .optional()
    .meta(optimizer('largest norm of all gradients together', '<norm>')),
  accumulate: numeric(positiveInteger).default(1).meta(optimizer('batches an update', '<count>')),
  ema: numeric(fraction)
    .optional()
    .meta(optimizer('judge a moving average of the weights that decays by', '<share>')),

  epochs: numeric(positiveInteger)
    .default(5)
    .meta(course('times that all pictures are seen', '<count>')),
  schedule: choice(keysOf(schedules))
    .default('flat-cosine')
    .meta(course('course of the learning rate', '<name>')),
  flat: numeric(fraction)
    .optional()
    .meta(course('share of the steps before flat-cosine falls (default: 0.72)', '<share>')),
  seed: numeric(seed).default(1).meta(course('where all that is drawn starts from', '<number>')),
  engine: choice(['onnxruntime', 'tfjs'])
    .default('onnxruntime')
    .meta(course('what computes', '<name>')),
  threads: numeric(positiveInteger)
    .default(availableParallelism())
    .meta(course('threads of onnxruntime; tfjs computes on one, or a graphics card', '<count>')),
  saveEvery: numeric(nonNegative)
    .default(120)
    .meta(course('seconds between checkpoints within an epoch', '<seconds>')),
})
