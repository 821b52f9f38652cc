import { rangeOf } from '@diffgrad/core'
import type * as z from 'zod'
import { centralShare } from '../data/loader/resample.ts'
import { Failure } from '../failure.ts'
import { isRuleModule, moduleHash, ruleOf } from './rule.ts'
import { ruleDefault, ruleDefaults, ruleSettings } from './rule-settings.ts'
import { schema } from './schema.ts'

/** All settings of a training, with every default resolved. The options of some rules are in it, too. */
export type Config = z.output<typeof schema> & {
  readonly [K in keyof typeof ruleDefaults]?: number
}

/** Settings that say what a data set is and how it is decoded. */
export const dataSettings = [
  ...(['data', 'validation', 'exclude', 'trainImages', 'validationImages'] as const),
  ...(['holdOut', 'size', 'validationCrop'] as const),
] satisfies (keyof Config)[]

/** The settings of `dataSettings`. */
export const dataOptions = ({
  data,
  validation,
  exclude,
  trainImages,
  validationImages,
  holdOut,
  size,
  validationCrop,
}: Config): Pick<Config, (typeof dataSettings)[number]> => ({
  ...{ data, validation, exclude, trainImages, validationImages, holdOut },
  ...{ size, validationCrop },
})

/** Share of the training images that a choice of settings holds out: as of data without validation images. */
export const heldOutShare = 0.2

/** Settings that train the embedded data set in a few minutes on two cores. */
const shapesDefaults: Readonly<Partial<Config>> = { size: 48, batch: 32, epochs: 8 }

/**
 * Defaults that depend on other settings: the embedded images are easier than photographs, and padding
 * replaces random crops, so that images are validated as they are trained on.
 */
export const defaultsFor = ({
  data = 'shapes',
  backbone,
  pad = 0,
}: Partial<Config>): Readonly<Partial<Config>> => {
  const ofPadding = pad === 0 ? {} : { crop: 1 }
  if (data !== 'shapes') return pad === 0 ? {} : { ...ofPadding, validationCrop: 1 }
  const ofShapes = { ...shapesDefaults, ...ofPadding }
  return backbone === undefined ? { ...ofShapes, width: 32 } : ofShapes
}

/** The command-line option of a setting: `learningRate` → `--learning-rate`. */
export const optionName = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/**
 * Completes and checks a configuration.
 *
 * @throws {Failure} Naming the first option that is unknown, out of range, or without effect.
 */
export function resolveConfig(settings: object): Config {
  const { success, data, error } = schema.safeParse({ ...defaultsFor(settings), ...settings })
  if (!success) {
    const [issue] = error.issues
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
    if (unknown !== undefined) throw new Failure(`config: there is no setting ${unknown}`)
    throw new Failure(`${optionName(issue?.path.join('.') ?? '')} ${issue?.message}`)
  }
  return withRuleSettings(withDependentDefaults(data))
}

/** Checks settings that depend on one another, and adds their defaults. */
function withDependentDefaults(config: Config): Config {
  const must = (holds: boolean, complaint: string): void => {
    if (!holds) throw new Failure(complaint)
  }
  const { backbone, tune, flat, schedule, padMode } = config
  const { decay, weightDecay, data, validation, exclude } = config
  must(
    data !== 'shapes' || (validation === undefined && exclude === undefined),
    `${validation === undefined ? '--exclude' : '--validation'} needs a --data other than shapes, the embedded images`,
  )
  must(
    data !== 'shapes' || config.validationCrop === centralShare,
    '--validation-crop needs a --data other than shapes, whose images are rendered in their size',
  )
  must(
    config.holdOut === undefined || config.validationImages === undefined,
    '--validation-images has no effect with --hold-out, which leaves the validation images unseen',
  )
  const { from, checkpoint } = config
  const { size, crop, pad, epochs, warmup, patience } = config
  const isTuned = backbone !== undefined || from !== undefined
  must(tune === undefined || isTuned, '--tune needs a --backbone or --from')
  must(checkpoint === undefined || from !== undefined, '--checkpoint needs --from')
  must(pad === 0 || crop === 1, `--pad replaces random crops, so --crop must be 1, but is ${crop}`)
  must(padMode === undefined || pad > 0, '--pad-mode needs a --pad above 0, but pad is 0')
  must(pad < size, `--pad must be below --size, ${size}, but is ${pad}`)
  must(warmup < epochs, `--warmup must be below --epochs, ${epochs}, but is ${warmup}`)
  must(
    flat === undefined || schedule === 'flat-cosine',
    `--flat needs --schedule flat-cosine, but the schedule is ${schedule}`,
  )
  must(
    schedule !== 'inverse-square-root' || warmup > 0,
    '--schedule inverse-square-root needs a --warmup above 0, but warmup is 0',
  )
  must(!config.emaWarmup || config.ema !== undefined, '--ema-warmup needs --ema')
  must(
    decay === undefined || decay === 'decoupled' || weightDecay > 0,
    `--decay ${decay} needs a --weight-decay above 0, but weight decay is 0`,
  )
  const { start: lastStage } = tuneStages(config)[tuneStages(config).length - 1]
  must(
    lastStage < epochs,
    `--tune ${tune} needs more than ${lastStage} --epochs, but epochs is ${epochs}`,
  )
  must(
    patience === undefined || patience < epochs - lastStage,
    `--patience must be below ${epochs - lastStage}, the epochs ${lastStage > 0 ? 'after the head alone' : 'of the training'}, but is ${patience}`,
  )
  return {
    ...config,
    ...networkDefaults(config),
    ...(pad > 0 && { padMode: padMode ?? 'reflect' }),
    ...(isTuned && { tune: tune ?? 'all' }),
    ...(from !== undefined && { checkpoint: checkpoint ?? 'best' }),
    ...(schedule === 'flat-cosine' && { flat: flat ?? 0.72 }),
  }
}

/**
 * Checks the settings of the network, and returns the defaults of an XResNet.
 *
 * @throws {Failure} Naming the first setting without effect.
 */
function networkDefaults(config: Config): Pick<Config, 'stem' | 'pool'> {
  const { backbone, architecture, activation, width, selfAttention, spectralNorm } = config
  const { stem, pool, engine } = config
  const only = { stem, pool, selfAttention: selfAttention || undefined }
  const excluded = (by: string): void => {
    for (const [key, value] of Object.entries(only))
      if (value !== undefined) throw new Failure(`${by} excludes ${optionName(key)}`)
  }
  const missing = [
    architecture === 'seresnet18' && '--architecture seresnet18',
    pool === 'max-blur' && '--pool max-blur',
    spectralNorm && '--spectral-norm',
  ].find((option) => option !== false)
  if (engine === 'tfjs' && missing !== undefined)
    throw new Failure(`${missing} needs --engine onnxruntime, but engine is tfjs`)
  if (spectralNorm && !selfAttention) throw new Failure('--spectral-norm needs --self-attention')
  if (backbone !== undefined) {
    if (architecture !== 'xresnet18' || activation !== 'relu' || width !== 64 || selfAttention)
      throw new Failure(
        '--backbone excludes --architecture, --activation, --width and --self-attention',
      )
    excluded('--backbone')
    return {}
  }
  if (architecture === 'seresnet18') {
    excluded('--architecture seresnet18, which has a stem for small images,')
    return {}
  }
  if (stem === 'small' && pool !== undefined)
    throw new Failure(`--pool ${pool} needs --stem standard, but the stem is small and has no pool`)
  return stem === 'small' ? { stem } : { stem: 'standard', pool: pool ?? 'max' }
}

/** A part of a training in which the same parameters are trained. */
export interface TuneStage {
  readonly parameters: 'all' | 'head'
  /** Epochs complete when the stage starts. */
  readonly start: number
  /** Epochs complete when the stage ends. */
  readonly end: number
}

/** The stages of `--tune`: `head:3,all` are two, everything else is one. */
export function tuneStages({
  tune = 'all',
  epochs,
}: Pick<Config, 'tune' | 'epochs'>): readonly TuneStage[] {
  if (tune === 'all' || tune === 'head') return [{ parameters: tune, start: 0, end: epochs }]
  const split = Number(tune.slice('head:'.length, -',all'.length))
  return [
    { parameters: 'head', start: 0, end: split },
    { parameters: 'all', start: split, end: epochs },
  ]
}

/** The setting that the one-cycle schedule moves against the learning rate. */
export const momentumKey = (config: Config): 'momentum' | 'beta1' =>
  'momentum' in ruleOf(config).defaults ? 'momentum' : 'beta1'

/** Adds the defaults of the rule's settings, and rejects settings of other rules. */
function withRuleSettings(config: Config): Config {
  const { optimizer, optimizerHash } = config
  const { name, defaults } = ruleOf(config)
  if (optimizerHash !== undefined && !isRuleModule(optimizer))
    throw new Failure(`config: optimizerHash needs an optimizer that is a module, not ${optimizer}`)
  const scheduled = config.schedule === 'one-cycle' ? momentumKey(config) : undefined
  if (scheduled !== undefined && !(scheduled in defaults))
    throw new Failure(
      `--schedule one-cycle needs a rule with beta1 or momentum, but ${name} has neither`,
    )
  const given = ruleOptions(config)
  const own = ruleSettings.filter(({ option }) => option in defaults)
  for (const { key, option } of ruleSettings) {
    if (given[option] === undefined) continue
    if (key === scheduled) throw new Failure(`${optionName(key)} is set by --schedule one-cycle`)
    if (option in defaults) continue
    const names = own.map((setting) => optionName(setting.key))
    throw new Failure(
      `${optionName(key)} is not an option of ${name}; its options are ${names.join(', ')}`,
    )
  }
  const resolved = own
    .filter(({ key }) => key !== scheduled)
    .map(({ key, option }) => [key, given[option] ?? ruleDefault(option, defaults)] as const)
  const complete = {
    ...config,
    decay: config.decay ?? decayOf(config),
    ...Object.fromEntries(resolved),
  }
  checkRuleOptions(complete)
  return { ...complete, ...(isRuleModule(optimizer) && { optimizerHash: moduleHash(optimizer) }) }
}

/** The options of a configuration that only some rules have, by core's names. */
export const ruleOptions = (config: Config): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    ruleSettings.flatMap(({ key, option }) => {
      const value = Object.entries(config).find(([name]) => name === key)?.[1]
      return value === undefined ? [] : [[option, value] as const]
    }),
  )

/** The kind of weight decay by default: decoupled where the rule has it. */
function decayOf(config: Config): NonNullable<Config['decay']> {
  const rule = ruleOf(config)
  return rangeOf(rule, 'decay').includes('decoupled') ? 'decoupled' : rule.defaults.decay
}

/** @throws {Failure} If the rule refuses the kind of decay, or its options do not work together. */
function checkRuleOptions(config: Config): void {
  const { optimizer, learningRate, weightDecay, decay = decayOf(config) } = config
  const rule = ruleOf(config)
  if (rule.evaluationPoint && config.engine === 'tfjs')
    throw new Failure(
      `--optimizer ${optimizer} needs --engine onnxruntime, which estimates the running statistics of its averaged weights, but the engine is tfjs`,
    )
  if (rule.evaluationPoint && config.ema !== undefined)
    throw new Failure(`--optimizer ${optimizer} excludes --ema: it has averaged weights already`)
  const { text, includes } = rangeOf(rule, 'decay')
  if (!includes(decay))
    throw new Failure(`--decay must be ${text} for ${optimizer}, but is ${decay}`)
  // A momentum that one-cycle moves is not in the configuration.
  const moving = { [momentumKey(config)]: ruleDefaults[momentumKey(config)] }
  const options = { ...rule.defaults, ...moving, ...ruleOptions(config) }
  const reason = rule.conflict?.({ ...options, learningRate, weightDecay, decay })
  if (reason !== undefined) throw new Failure(`--optimizer ${optimizer}: ${reason}`)
}
