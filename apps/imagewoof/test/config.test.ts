import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  adam,
  allRules,
  diffGrad,
  numbers,
  type Schedule,
  scheduleValue,
  stepKernels,
  type Values,
} from '@diffgrad/core'
import { expectClose } from '@diffgrad/testing/tolerance'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { parseContenders, presets } from '../src/compare/contenders.ts'
import { summarizeContenders } from '../src/compare/summary.ts'
import {
  rateRun,
  trialText,
  tuningWarnings,
  withBestRates,
  withGrid,
} from '../src/compare/tuning.ts'
import { resolveConfig } from '../src/config/config.ts'
import { learningRateOf, optimizerOf } from '../src/config/optimizer.ts'
import { addConfigOptions, argumentsFor, pickSettings } from '../src/config/options.ts'
import { suggestLearningRates, valleyRate } from '../src/lr-find/range-test.ts'

test("a resolved configuration has the defaults of its rule's settings, and resolves to itself", () => {
  const config = resolveConfig({})
  expect(config).toMatchObject({ beta1: 0.95, beta2: 0.99, epsilon: 1e-6, friction: 0, flat: 0.72 })
  expect(config).not.toHaveProperty('momentum')
  expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config)
  expect(resolveConfig({ optimizer: 'sgd' })).toMatchObject({ momentum: 0.9, nesterov: false })
  // A rule whose default differs from Adam's keeps it.
  expect(resolveConfig({ optimizer: 'adabelief' })).toMatchObject({ beta2: 0.99, epsilon: 1e-16 })
})

test("the optimizer of a configuration is core's rule with the configured options", () => {
  const { rule, groups, ...options } = optimizerOf(resolveConfig({ friction: 1, clip: 2 }), 100)
  expect(rule).toBe(diffGrad)
  expect(groups).toHaveLength(1)
  expect(options).toMatchObject({
    version: 1,
    aliased: false,
    weightDecay: 1e-2,
    decay: 'decoupled',
    clip: { by: 'globalNorm', limit: 2 },
  })
  const rate = (step: number): number => scheduleValue(options.learningRate ?? 0, step)
  expect([rate(0), rate(71)]).toEqual([4e-3, 4e-3])
  // Halfway between the start of the fall, at 72, and the end.
  expectClose(rate(86), 2e-3, { relative: 1e-12 })
  expect(rate(100)).toBe(0)
  expect(optimizerOf(resolveConfig({ optimizer: 'adam' }), 100).rule).toBe(adam)
})

test('every option of every rule is an option of the command line, and reaches the optimizer', () => {
  const help = addConfigOptions(new Command()).helpInformation()
  for (const rule of allRules) {
    const config = resolveConfig({ optimizer: rule.name.toLowerCase(), learningRate: 0.125 })
    const passed = optimizerOf({ ...config, schedule: 'constant' }, 100)
    expect(Object.keys(passed)).toEqual(expect.arrayContaining(Object.keys(rule.defaults)))
    for (const option of argumentsFor(config).filter((text) => text.startsWith('--')))
      expect(help).toMatch(new RegExp(`${option}\\b`))
  }
  const waits = resolveConfig({ optimizer: 'radam', degenerateToSgd: false })
  expect(argumentsFor(waits)).toContain('--no-degenerate-to-sgd')
  // An option that is on by default is omitted for a rule without it.
  const command = addConfigOptions(new Command()).parse(['--optimizer', 'adam'], { from: 'user' })
  expect(resolveConfig(pickSettings(command.opts()))).toEqual(resolveConfig({ optimizer: 'adam' }))
})

test('with one-cycle the momentum falls while the learning rate rises', () => {
  const options = optimizerOf(resolveConfig({ schedule: 'one-cycle' }), 100)
  expect(options).toMatchObject({ beta1: { kind: 'join' }, learningRate: { kind: 'join' } })
  expect(resolveConfig({ schedule: 'one-cycle' })).not.toHaveProperty('beta1')
})

test.each([
  ['flat-cosine', [1, 1, 1, 1 / 2]],
  ['cosine', [1, 3 / 4, 1 / 2, (1 - Math.sqrt(3 / 4)) / 2]],
  ['constant', [1, 1, 1, 1]],
  ['linear', [1, 2 / 3, 1 / 2, 1 / 6]],
  ['polynomial', [1, 4 / 9, 1 / 4, 1 / 36]],
  ['plateau', [1, 1, 1, 1]],
] as const)('a warm-up rises in a straight line to the start of %s', (schedule, expected) => {
  const flat = schedule === 'flat-cosine' ? { flat: 60 / 90 } : {}
  const config = resolveConfig({ epochs: 10, warmup: 1, schedule, ...flat })
  const { learningRate = 0 } = optimizerOf(config, 100)
  const rate = (step: number): number => scheduleValue(learningRate, step)
  expectClose(rate(0), 0.01 * 4e-3, { relative: 1e-12 })
  // A hundredth of the full rate, and half of the other 99.
  expectClose(rate(5), (0.01 + 0.99 / 2) * 4e-3, { relative: 1e-12 })
  const shares = [10, 40, 55, 85].map((step) => rate(step) / 4e-3)
  expectClose(shares, expected, { relative: 1e-9 })
})

test('the warm-up of one-cycle is the length of its rise, for the momentum as well', () => {
  const options = optimizerOf(resolveConfig({ epochs: 10, warmup: 2, schedule: 'one-cycle' }), 100)
  const { learningRate = 0, beta1 = 0 } = options as { learningRate?: Schedule; beta1?: Schedule }
  expect(scheduleValue(learningRate, 20)).toBe(4e-3)
  expect(scheduleValue(learningRate, 19)).toBeLessThan(4e-3)
  expect(scheduleValue(learningRate, 21)).toBeLessThan(4e-3)
  expect(scheduleValue(beta1, 20)).toBe(0.85)
})

test('the inverse square root falls from the end of the warm-up, and the decay of the EMA warms up', () => {
  const settings = { epochs: 10, warmup: 1, schedule: 'inverse-square-root' }
  const config = resolveConfig({ ...settings, ema: 0.9, emaWarmup: true })
  const { learningRate = 0, ema } = optimizerOf(config, 100)
  const rates = [4, 9, 39, 89].map((step) => scheduleValue(learningRate, step) / 4e-3)
  expectClose(rates, [1 / 2, 1, 1 / 2, 1 / 3], { relative: 1e-12 })
  expect(ema).toEqual({ decay: 0.9, warmup: { gamma: 1, power: 2 / 3 } })
})

test('a plateau counts the validation losses after the warm-up', () => {
  const config = resolveConfig({ epochs: 10, warmup: 2, schedule: 'plateau' })
  const learningRate = learningRateOf(config, 10)
  const epochs = Array.from({ length: 6 }, (_, i) => ({ epoch: i + 1, validationLoss: 1 }))
  // Two epochs without a lower loss after the first one that counts, which is the third.
  expect(learningRate(40, { epochs: epochs.slice(0, 4) })).toBe(4e-3)
  expect(learningRate(50, { epochs: epochs.slice(0, 5) })).toBe(4e-4)
})

test('padding replaces random crops, and validation then sees whole images', () => {
  expect(resolveConfig({ pad: 4 })).toMatchObject({ pad: 4, crop: 1, size: 48 })
  expect(resolveConfig({ data: 'dogs', pad: 4 })).toMatchObject({ crop: 1, validationCrop: 1 })
  expect(resolveConfig({ data: 'dogs' })).toMatchObject({ crop: 0.35, validationCrop: 0.875 })
})

test('networks have the stem and the pool that they can have', () => {
  expect(resolveConfig({})).toMatchObject({ stem: 'standard', pool: 'max', spectralNorm: false })
  const small = resolveConfig({ stem: 'small' })
  expect([small.stem, small.pool]).toEqual(['small', undefined])
  const { stem, pool } = resolveConfig({ architecture: 'seresnet18' })
  expect([stem, pool]).toEqual([undefined, undefined])
  for (const config of [small, resolveConfig({ pad: 4 }), resolveConfig({ backbone: 'a/b' })])
    expect(resolveConfig(config)).toEqual(config)
})

test('a configuration without the latest settings has their neutral values', () => {
  const { pad, erase, classWeights, warmup, ...older } = resolveConfig({ backbone: 'a/b' })
  expect([pad, erase, classWeights, warmup]).toEqual([0, 0, 'none', 0])
  expect(resolveConfig(older)).toEqual(resolveConfig({ backbone: 'a/b' }))
})

test.each([
  [{ schedule: 'one-cycle', beta1: 0.5 }, '--beta1 is set by --schedule one-cycle'],
  [
    { schedule: 'one-cycle', optimizer: 'sgd', momentum: 0.5 },
    '--momentum is set by --schedule one-cycle',
  ],
  [
    { optimizer: 'sgd', nesterov: true, momentum: 0 },
    '--optimizer sgd: nesterov needs a momentum above 0',
  ],
  [
    { decay: 'l2', weightDecay: 0 },
    '--decay l2 needs a --weight-decay above 0, but weight decay is 0',
  ],
  [
    { optimizer: 'lion', decay: 'l2' },
    '--optimizer lion: decay must be decoupled, because an L2 decay only changes signs, but is l2',
  ],
  [
    { schedule: 'inverse-square-root' },
    '--schedule inverse-square-root needs a --warmup above 0, but warmup is 0',
  ],
  [{ emaWarmup: true }, '--ema-warmup needs --ema'],
  [
    { optimizer: 'schedulefreeadamw', ema: 0.9 },
    '--optimizer schedulefreeadamw excludes --ema: it has averaged weights already',
  ],
  [
    { optimizer: 'schedulefreesgd', engine: 'tfjs' },
    '--optimizer schedulefreesgd needs --engine onnxruntime, which estimates',
  ],
  [
    { optimizer: 'sgd', dampening: 0.5, nesterov: true },
    '--optimizer sgd: nesterov needs a dampening of 0',
  ],
  [{ pad: 4, crop: 0.5 }, '--pad replaces random crops, so --crop must be 1, but is 0.5'],
  [{ validationCrop: 0.5 }, '--validation-crop needs a --data other than shapes'],
  [{ validationCrop: 0 }, '--validation-crop must be in (0, 1], but is 0'],
  [{ trainImages: 0 }, '--train-images must be a whole number, at least 1, but is 0'],
  [{ pad: 48 }, '--pad must be below --size, 48, but is 48'],
  [{ padMode: 'zeros' }, '--pad-mode needs a --pad above 0, but pad is 0'],
  [
    { pool: 'max-blur', engine: 'tfjs' },
    '--pool max-blur needs --engine onnxruntime, but engine is tfjs',
  ],
  [{ spectralNorm: true }, '--spectral-norm needs --self-attention'],
  [
    { stem: 'small', pool: 'max-blur' },
    '--pool max-blur needs --stem standard, but the stem is small and has no pool',
  ],
  [{ backbone: 'a/b', stem: 'small' }, '--backbone excludes --stem'],
  [
    { architecture: 'seresnet18', stem: 'small' },
    '--architecture seresnet18, which has a stem for small images, excludes --stem',
  ],
  [
    { architecture: 'seresnet18', selfAttention: true },
    '--architecture seresnet18, which has a stem for small images, excludes --self-attention',
  ],
  [{ erase: 2 }, '--erase must be in [0, 1], but is 2'],
  [{ warmup: 8 }, '--warmup must be below --epochs, 8, but is 8'],
  [{ patience: 8 }, '--patience must be below 8, the epochs of the training, but is 8'],
  [{ classWeights: 'some' }, '--class-weights must be one of none, balanced, but is some'],
  [{ tune: 'head' }, '--tune needs a --backbone or --from'],
  [{ checkpoint: 'last' }, '--checkpoint needs --from'],
  [
    { from: 'a', tune: 'all,head' },
    '--tune must be all, head, or head:<epochs>,all, but is all,head',
  ],
  [
    { from: 'a', tune: 'head:8,all' },
    '--tune head:8,all needs more than 8 --epochs, but epochs is 8',
  ],
  [
    { from: 'a', tune: 'head:3,all', patience: 5 },
    '--patience must be below 5, the epochs after the head alone, but is 5',
  ],
])('settings without effect are rejected: %o', (settings, message) => {
  expect(() => resolveConfig(settings)).toThrow(message)
})

const scaleFree = fileURLToPath(new URL('../examples/scale-free.mjs', import.meta.url))

test('a module is an update rule: its ξ is the scale-free one of PyTorch', () => {
  const config = resolveConfig({ optimizer: scaleFree })
  expect(config).toMatchObject({ beta1: 0.95, beta2: 0.99, epsilon: 1e-6 })
  const { rule } = optimizerOf(config, 1)
  // docs/evidence/reference.py: Opt(lr=4e-3, xi='free', wd=0) on the CPU in float64.
  const gradients = [
    [0.3, -0.02, 1e-6],
    [-0.1, -0.02, 3e-6],
    [0.25, 0.04, -2e-6],
    [0.2, 0.04, 1e-6],
  ]
  const expected = [0.49190658134696713, -0.24593549388610836, 0.9984973242200748]
  const meanFriction = [
    0.7310579232269802, 0.6888872472477633, 0.8735521304343673, 0.6267941905916538,
  ]
  const options = { ...rule.defaults, learningRate: 4e-3, beta1: 0.95, beta2: 0.99, epsilon: 1e-6 }
  const theta = [0.5, -0.25, 1]
  const friction = gradients.map(() => 0)
  for (let i = 0; i < theta.length; i++) {
    let state: Values<number> = { theta: theta[i], m: 0, v: 0, p: 0 }
    for (const [t, { [i]: g }] of gradients.entries()) {
      const { update, inspect, coefficients } = stepKernels(rule, options, t + 1)
      friction[t] += inspect.evaluate(numbers, { ...state, g }, coefficients).xi / theta.length
      state = update.evaluate(numbers, { ...state, g }, coefficients)
    }
    theta[i] = state.theta
  }
  expectClose(theta, expected, { relative: 1e-12 })
  expectClose(friction, meanFriction, { relative: 1e-12 })
})

test('a module that is missing, changed, or not a rule is refused by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rule-'))
  let modules = 0
  const refusal = (source: string): string => {
    const path = join(folder, `${modules++}.mjs`)
    writeFileSync(path, source)
    try {
      return `${resolveConfig({ optimizer: path })}`
    } catch (error) {
      return `${error}`.replace(path, 'PATH')
    }
  }
  const rule = (step: string): string =>
    `const rule = { name: 'half', defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' },
       stateNames: () => [], coefficients: () => ({ half: 0.5 }),
       update: ({ mul }, { g }, c) => ({ step: ${step} }) }\n`
  try {
    expect(refusal('')).toBe(
      'Failure: --optimizer PATH: must export an update rule by default, but exports undefined',
    )
    expect(refusal('export default { name: "half", defaults: {} }')).toBe(
      'Failure: --optimizer PATH: must export an update rule by default: its stateNames must be a function, but is undefined',
    )
    expect(refusal(`${rule('mul(c.hlaf, g)')} export default rule`)).toBe(
      'Failure: --optimizer PATH: half: theta must be finite after the first step, from θ = g = 1, but is NaN',
    )
    expect(refusal('export default {')).toMatch(/^Failure: --optimizer PATH: .*Unexpected/)
    expect(refusal(`${rule('mul(c.half, g)')} export default rule`)).toBe('[object Object]')
    const missing = join(folder, 'missing.mjs')
    expect(() => resolveConfig({ optimizer: missing })).toThrow(
      `--optimizer ${missing}: no such file`,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
  const config = resolveConfig({ optimizer: scaleFree })
  expect(resolveConfig(config)).toEqual(config)
  expect(() => resolveConfig({ ...config, optimizerHash: 'f00' })).toThrow(
    `--optimizer ${scaleFree}: the module must be unchanged, but its SHA-256 is ${config.optimizerHash}, not f00`,
  )
  expect(() => resolveConfig({ optimizer: 'diffgard' })).toThrow(
    /^--optimizer must be one of sgd, .*, or the path of a module, such as .\/rule.mjs, but is diffgard$/,
  )
  expect(() => resolveConfig({ optimizer: scaleFree, friction: 1 })).toThrow(
    '--friction is not an option of scaleFree; its options are --beta1, --beta2, --epsilon',
  )
  expect(() => parseContenders([scaleFree, `.${scaleFree}`], {})).toThrow('its runs would have')
})

test('settings are converted to command-line arguments', () => {
  const settings = { size: 32, flip: false, aliased: true, data: 'my dogs' }
  expect(argumentsFor(settings)).toEqual([
    ...['--size', '32', '--no-flip', '--aliased'],
    ...['--data', 'my dogs'],
  ])
  expect(argumentsFor({ flip: true })).toEqual([])
})

test('contenders have their own options, and the control is always added', () => {
  const settings = { learningRate: 0.01, epochs: 2 }
  const contenders = parseContenders(presets['diffgrad-family'].contenders, settings)
  expect(contenders).toHaveLength(8)
  const [first, second] = contenders
  expect(first.config).toMatchObject({ optimizer: 'diffgrad', friction: 0, epochs: 2 })
  expect(second.config).toMatchObject({ optimizer: 'diffgrad', friction: 1, learningRate: 0.01 })
  expect(contenders[7]).toMatchObject({
    name: 'adam --learning-rate 0.005',
    config: { optimizer: 'adam', learningRate: 0.005 },
  })
  const [padded] = parseContenders(['adam --pad 4'], { data: 'dogs', trainImages: 500 })
  expect(padded.config).toMatchObject({ pad: 4, trainImages: 500, validationCrop: 0.875 })
  expect(() => parseContenders(['adam', 'sgd', 'adam'], {})).toThrow(
    'contender "adam" is listed twice',
  )
  expect(() => parseContenders(['adam --friction 1'], {})).toThrow(
    'contender "adam --friction 1": --friction is not an option of Adam',
  )
})

test('a preset has contenders and settings, which options come before', () => {
  const plan = (name: string, settings: object = {}) =>
    parseContenders(presets[name].contenders, { ...presets[name].settings, ...settings })
  const woof = plan('imagewoof-20', { epochs: 2, schedule: 'constant' })
  expect(woof.map(({ name }) => name)).toEqual([
    ...['diffgrad', 'diffgrad --friction 1', 'diffgrad --friction 2', 'diffrgrad', 'diffmod'],
    ...['radam', 'ranger --epsilon 1e-5', 'adam', 'nadamw', 'adam --learning-rate 0.002'],
  ])
  for (const { config } of woof)
    expect(config).toMatchObject({
      ...{ data: 'imagewoof2-160', size: 128, batch: 64, epochs: 2, schedule: 'constant' },
      ...{ architecture: 'xresnet50', activation: 'mish', selfAttention: true, crop: 0.35 },
      ...{ beta1: 0.95, beta2: 0.99, weightDecay: 0.01, decay: 'decoupled', labelSmoothing: 0.1 },
    })
  expect(woof.map(({ config }) => config.epsilon)).toEqual(
    woof.map(({ name }) => (name.startsWith('ranger') ? 1e-5 : 1e-6)),
  )
  const [original, fixed, , , control] = plan('cifar10-review').map(({ config }) => config)
  expect(original).toMatchObject({ aliased: true })
  expect(fixed).toMatchObject({ aliased: false })
  expect(control.learningRate).toBe(5e-4)
  expect(fixed).toMatchObject({
    ...{ data: 'cifar10', size: 32, pad: 4, validationCrop: 1, batch: 32, epochs: 10, flip: true },
    ...{ learningRate: 1e-3, schedule: 'constant', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    ...{ weightDecay: 0, labelSmoothing: 0 },
  })
})

test('tuning chooses the best learning rate by held-out images, and warns of the edge of its grid', () => {
  const parsed = parseContenders(['sgd --learning-rate 0.3', 'radam'], {}, { tuned: true })
  const contenders = withGrid(parsed, [3, 1, 1 / 3])
  expect(contenders.map(({ name, rates }) => [name, ...(rates ?? [])])).toEqual([
    ['sgd --learning-rate 0.3', 0.1, 0.3, 0.9],
    // Adam, among tuned contenders, is the control.
    ...['radam', 'adam'].map((name) => [name, 0.00133333333333, 0.004, 0.012]),
  ])
  const { config } = contenders[0]
  const contender = { name: 'sgd', config: { ...config, validationImages: 9 } }
  expect(rateRun(contender, 0.9, [1, 2], '').config).toEqual({
    ...config,
    learningRate: 0.9,
    holdOut: 0.2,
    seed: 3,
  })
  const trial = (contender: string, rate: number, top1?: number, validationLoss = 1) => {
    const row = { ...{ epoch: 1, trainLoss: 1, trainAccuracy: 1, top5: 1, learningRate: rate } }
    const own = { ...row, ...{ seconds: 1, imagesPerSecond: 1, validationLoss } }
    const history =
      top1 === undefined ? undefined : { losses: [], epochs: [{ ...own, top1 }], friction: [] }
    return { contender, rate, history, diverged: top1 === undefined }
  }
  const trials = [
    trial('sgd --learning-rate 0.3', 0.1, 0.5),
    trial('sgd --learning-rate 0.3', 0.3, 0.6, 0.9),
    trial('sgd --learning-rate 0.3', 0.9, 0.6, 0.8),
    trial('radam', 0.004, 0.7),
    trial('adam', 0.004),
  ]
  expect(trials.map(trialText)).toEqual(['50.0 %', '60.0 %', '60.0 %', '70.0 %', 'diverged'])
  const tuned = withBestRates(contenders, trials)
  expect(tuned.map((contender) => contender.config.learningRate)).toEqual([0.9, 0.004, 0.004])
  expect(tuningWarnings(tuned, trials)).toEqual([
    'sgd --learning-rate 0.3: the best rate, 0.9, is at the edge of its grid; a better one may lie beyond.',
    'adam: no trial reached its end, so that it has its own rate, 0.004.',
  ])
  expect(() => withGrid(parseContenders([], { holdOut: 0.1 }), [1, 2])).toThrow(
    '--hold-out excludes --tune-learning-rate',
  )
  expect(() => resolveConfig({ holdOut: 0.1, validationImages: 50 })).toThrow(
    '--validation-images has no effect with --hold-out',
  )
})

test('contenders are summarized over seeds, and compared with the first one seed by seed', () => {
  const epoch = {
    epoch: 1,
    trainLoss: 1,
    trainAccuracy: 0.5,
    validationLoss: 1,
    top5: 1,
    learningRate: 1,
    seconds: 2,
    imagesPerSecond: 1,
  }
  const finishedRun = (contender: string, seed: number, top1: number) => ({
    contender,
    seed,
    history: { losses: [], epochs: [{ ...epoch, top1 }], friction: [] },
  })
  const runs = [
    finishedRun('a', 1, 0.5),
    finishedRun('b', 1, 0.6),
    finishedRun('a', 2, 0.7),
    finishedRun('b', 2, 0.6),
  ]
  const [a, b] = summarizeContenders(runs, ['a', 'b', 'c'], 100)
  const rounding = { relative: 1e-12, absolute: 1e-12 }
  expectClose(a.mean, 0.6, rounding)
  expectClose(a.deviation, Math.sqrt(0.02), rounding)
  expect(b.deviation).toBe(0)
  expectClose(b.difference?.mean ?? Number.NaN, 0, rounding)
  expectClose(b.difference?.deviation ?? Number.NaN, Math.sqrt(0.02), rounding)
  expect(b.difference?.wins).toBe(1)
})

test('the first suggested learning rate is where the loss falls fastest', () => {
  const trials = Array.from({ length: 100 }, (_, i) => {
    const rate = 1e-5 * 10 ** (i / 20)
    // Falls by a logistic curve around 1e-3, and rises beyond 0.1.
    const fall = 1 / (1 + Math.exp(-4 * Math.log10(rate / 1e-3)))
    return { rate, loss: 3 - fall + Math.max(0, Math.log10(rate / 0.1)) + 0.02 * (i % 2) }
  })
  const [steepest, valley, minimum] = suggestLearningRates(trials)
  expect(steepest.name).toBe('steepest')
  expect(Math.abs(Math.log10(steepest.rate / 1e-3))).toBeLessThan(0.15)
  // The average of the losses lags behind them by some ten steps, a factor of three.
  expect(Math.abs(Math.log10(valley.rate / 1e-3))).toBeLessThan(1)
  expect(minimum.rate).toBeGreaterThan(0.1 / 10 / 2)
  expect(minimum.rate).toBeLessThan(0.1)
  expect(suggestLearningRates(trials.map(({ rate }) => ({ rate, loss: rate })))).toEqual([])
})

test('the valley is the one of fastai', () => {
  // Expected: `valley` of fastai/callback/schedule.py, with the same rates and losses.
  const losses = [3, 3.1, 2.9, 2.5, 2.0, 1.6, 1.5, 4]
  const rates = losses.map((_, i) => 10 ** i)
  expect(valleyRate(losses.map((loss, i) => ({ rate: rates[i], loss })))).toBe(1000)
})

test('the embedded images have a smaller network by default', () => {
  expect(resolveConfig({})).toMatchObject({ data: 'shapes', size: 48, width: 32, epochs: 8 })
  expect(resolveConfig({ size: 64 })).toMatchObject({ size: 64, width: 32 })
  expect(resolveConfig({ data: 'dogs' })).toMatchObject({ size: 64, width: 64, epochs: 5 })
  expect(resolveConfig({ backbone: 'a/b' })).toMatchObject({ size: 48, width: 64, tune: 'all' })
})
