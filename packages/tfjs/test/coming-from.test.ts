import { readFileSync } from 'node:fs'
import * as core from '@diffgrad/core'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as own from '../src/index.ts'

// Runs every row of the tables in docs/coming-from.md.

const document = readFileSync(new URL('../../../docs/coming-from.md', import.meta.url), 'utf8')

/** The sections of the document, with the cells of the rows of their tables. */
const sections = document
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    title: section.split('\n')[0],
    rows: [...section.matchAll(/^\| (.*`.*) \| `(.*)` \|$/gm)].map(([, there, here]) => ({
      there: there.replaceAll('`', ''),
      here,
    })),
  }))

beforeAll(() => tf.setBackend('cpu'))

type Vector = readonly number[]

/** Takes step t, from 1, and returns the new parameters: two of a kernel, and a bias. */
type Step = (theta: Vector, g: Vector, t: number) => Vector

const steps = 20
const start: Vector = [1, -2, 0.5]

/** Gradients that depend on the parameters and on the step. */
const gradientAt = (theta: Vector, t: number): Vector =>
  theta.map((value, i) => (1 + i) * value + Math.sin(t * (i + 1)))

const map = (a: Vector, b: Vector, combine: (a: number, b: number) => number): Vector =>
  a.map((value, i) => combine(value, b[i]))
const zeros: Vector = [0, 0, 0]

// The equations of the documentation of each library.

interface SgdSettings {
  readonly lr?: (t: number) => number
  readonly momentum?: number
  readonly nesterov?: boolean
  readonly weightDecay?: number
  readonly dampening?: number
  readonly maximize?: boolean
}

function sgd({
  lr = () => 0.1,
  momentum = 0,
  nesterov = false,
  weightDecay = 0,
  dampening = 0,
  maximize = false,
}: SgdSettings = {}): Step {
  let buffer = zeros
  return (theta, g, t) => {
    const decayed = map(g, theta, (a, b) => (maximize ? -a : a) + weightDecay * b)
    buffer = t === 1 ? decayed : map(buffer, decayed, (a, b) => momentum * a + (1 - dampening) * b)
    const step = nesterov ? map(decayed, buffer, (a, b) => a + momentum * b) : buffer
    return map(theta, step, (a, b) => a - lr(t) * b)
  }
}

interface AdamSettings {
  readonly lr?: (t: number) => number
  readonly beta1?: (t: number) => number
  readonly beta2?: number
  readonly eps?: number
  readonly l2?: number
  readonly decoupled?: number
  readonly amsgrad?: boolean
}

function adam(settings: AdamSettings = {}): Step {
  const { lr = () => 0.1, beta1 = () => 0.9, beta2 = 0.999, eps = 1e-8 } = settings
  const { l2 = 0, decoupled = 0, amsgrad = false } = settings
  let [m, v, largest] = [zeros, zeros, zeros]
  return (theta, gradients, t) => {
    const [rate, mom] = [lr(t), beta1(t)]
    const g = map(gradients, theta, (a, b) => a + l2 * b)
    m = map(m, g, (a, b) => mom * a + (1 - mom) * b)
    v = map(v, g, (a, b) => beta2 * a + (1 - beta2) * b * b)
    largest = map(largest, v, Math.max)
    return theta.map((value, i) => {
      const second = (amsgrad ? largest : v)[i] / (1 - beta2 ** t)
      const decayed = value - rate * decoupled * value
      return decayed - (rate * (m[i] / (1 - mom ** t))) / (Math.sqrt(second) + eps)
    })
  }
}

function radam(l2: number): Step {
  const [beta1, beta2] = [0.9, 0.999]
  let [m, v] = [zeros, zeros]
  return (theta, gradients, t) => {
    const g = map(gradients, theta, (a, b) => a + l2 * b)
    m = map(m, g, (a, b) => beta1 * a + (1 - beta1) * b)
    v = map(v, g, (a, b) => beta2 * a + (1 - beta2) * b * b)
    const rhoInf = 2 / (1 - beta2) - 1
    const rho = rhoInf - (2 * t * beta2 ** t) / (1 - beta2 ** t)
    const rectification = Math.sqrt(
      ((rho - 4) * (rho - 2) * rhoInf) / ((rhoInf - 4) * (rhoInf - 2) * rho),
    )
    return theta.map((value, i) => {
      const corrected = m[i] / (1 - beta1 ** t)
      const adaptive = Math.sqrt(1 - beta2 ** t) / (Math.sqrt(v[i]) + 1e-8)
      return value - 0.1 * corrected * (rho > 5 ? rectification * adaptive : 1)
    })
  }
}

function lion(lr: number): Step {
  let m = zeros
  return (theta, g) => {
    const step = map(m, g, (a, b) => Math.sign(0.9 * a + 0.1 * b))
    m = map(m, g, (a, b) => 0.99 * a + 0.01 * b)
    return map(theta, step, (a, b) => a - lr * b)
  }
}

const clipped =
  (clip: (g: Vector) => Vector, inner = sgd()): Step =>
  (theta, g, t) =>
    inner(theta, clip(g), t)
const byNorm = (g: Vector): Vector => g.map((value) => value / Math.max(Math.hypot(...g), 1))
const byValue = (g: Vector): Vector => g.map((value) => Math.min(Math.max(value, -0.5), 0.5))

/** The mean of every two gradients. */
function everySecond(inner = sgd()): Step {
  let first: Vector = zeros
  return (theta, g, t) => {
    if (t % 2 === 0)
      return inner(
        theta,
        map(first, g, (a, b) => (a + b) / 2),
        t / 2,
      )
    first = g
    return theta
  }
}

function lookahead(inner = sgd()): Step {
  let slow = start
  return (theta, g, t) => {
    const fast = inner(theta, g, t)
    if (t % 5 !== 0) return fast
    slow = map(slow, fast, (a, b) => a + 0.5 * (b - a))
    return slow
  }
}

/** Half a cosine wave. */
const wave = (from: number, to: number, fraction: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * fraction))) / 2

/** fastai's combination of two waves over all steps, from the left end of step t. */
const combined = (from: number, peak: number, to: number) => (t: number) => {
  const position = (t - 1) / steps
  return position < 0.25
    ? wave(from, peak, position / 0.25)
    : wave(peak, to, (position - 0.25) / 0.75)
}

/** Two waves, each twice as long as the one before: of 5, 10 and 20 steps. */
const restarts = (t: number): number =>
  t <= 5
    ? wave(0.1, 0, (t - 1) / 5)
    : t <= 15
      ? wave(0.1, 0, (t - 6) / 10)
      : wave(0.1, 0, (t - 16) / 20)

const references: Readonly<Record<string, () => Step>> = {
  'SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)': () =>
    sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  'SGD(p, lr=0.1, momentum=0.9, dampening=0.5)': () => sgd({ momentum: 0.9, dampening: 0.5 }),
  'SGD(p, lr=0.1, weight_decay=0.01, maximize=True)': () =>
    sgd({ weightDecay: 0.01, maximize: true }),
  'Adam(p, lr=0.1, betas=(0.8, 0.99), weight_decay=0.01)': () =>
    adam({ beta1: () => 0.8, beta2: 0.99, l2: 0.01 }),
  'Adam(p, lr=0.1, amsgrad=True)': () => adam({ amsgrad: true }),
  'AdamW(p, lr=0.1)': () => adam({ decoupled: 0.01 }),
  'RAdam(p, lr=0.1, weight_decay=0.01)': () => radam(0.01),
  "SGD([{'params': kernel}, {'params': bias, 'lr': 0.05}], lr=0.1)": () => (theta, g) =>
    theta.map((value, i) => value - (i < 2 ? 0.1 : 0.05) * g[i]),
  'clip_grad_norm_(p, 1.0) before SGD(p, lr=0.1)': () => clipped(byNorm),
  'clip_grad_value_(p, 0.5) before SGD(p, lr=0.1)': () => clipped(byValue),
  'StepLR(SGD(p, lr=0.1), step_size=5, gamma=0.5)': () =>
    sgd({ lr: (t) => 0.1 * 0.5 ** Math.floor((t - 1) / 5) }),
  'ExponentialLR(SGD(p, lr=0.1), gamma=0.9)': () => sgd({ lr: (t) => 0.1 * 0.9 ** (t - 1) }),
  'CosineAnnealingLR(SGD(p, lr=0.1), T_max=20)': () =>
    sgd({ lr: (t) => wave(0.1, 0, (t - 1) / 20) }),
  'CosineAnnealingWarmRestarts(SGD(p, lr=0.1), T_0=5, T_mult=2)': () => sgd({ lr: restarts }),
  // The first report is the best, and every third one after it reduces the rate.
  'ReduceLROnPlateau(SGD(p, lr=0.1), factor=0.5, patience=2)': () =>
    sgd({ lr: (t) => 0.1 * 0.5 ** Math.max(Math.floor((t - 2) / 3), 0) }),
  // Two failures reduce the rate, and the next two reports do not count.
  "ReduceLROnPlateau(SGD(p, lr=0.1), mode='max', patience=1, cooldown=2)": () =>
    sgd({ lr: (t) => 0.1 * 0.1 ** Math.floor(t / 4) }),
  'PolynomialLR(SGD(p, lr=0.1), total_iters=20, power=2)': () =>
    sgd({ lr: (t) => 0.1 * (1 - (t - 1) / 20) ** 2 }),
  'MultiStepLR(SGD(p, lr=0.1), milestones=[5, 15], gamma=0.1)': () =>
    sgd({ lr: (t) => (t <= 5 ? 0.1 : t <= 15 ? 0.01 : 0.001) }),
  'LambdaLR(SGD(p, lr=0.1), lambda step: 1 / (1 + step))': () => sgd({ lr: (t) => 0.1 / t }),
  "for g in optimizer.param_groups: g['lr'] *= 0.1": () => sgd({ lr: (t) => (t > 3 ? 0.01 : 0.1) }),
  'optax.sgd(0.1, momentum=0.9, nesterov=True)': () => sgd({ momentum: 0.9, nesterov: true }),
  'optax.adam(0.1)': () => adam(),
  'optax.adamw(0.1)': () => adam({ decoupled: 1e-4 }),
  'optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1))': () => clipped(byNorm),
  'optax.chain(optax.clip(0.5), optax.sgd(0.1))': () => clipped(byValue),
  'optax.MultiSteps(optax.sgd(0.1), every_k_schedule=2)': () => everySecond(),
  'optax.lookahead(optax.sgd(0.1), sync_period=5, slow_step_size=0.5)': () => lookahead(),
  "optax.multi_transform({'kernel': optax.sgd(0.1), 'bias': optax.lion(0.01)}, labels)": () => {
    const [steepest, sign] = [sgd(), lion(0.01)]
    return (theta, g, t) => [...steepest(theta, g, t).slice(0, 2), sign(theta, g, t)[2]]
  },
  'optax.sgd(optax.linear_schedule(0.1, 0.0, 20))': () =>
    sgd({ lr: (t) => 0.1 * (1 - (t - 1) / 20) }),
  'optax.sgd(optax.cosine_decay_schedule(0.1, 20, alpha=0.1))': () =>
    sgd({ lr: (t) => wave(0.1, 0.01, (t - 1) / 20) }),
  "optax.sgd(optax.piecewise_interpolate_schedule('linear', 0.1, {5: 0.5, 15: 0.1}))": () =>
    sgd({
      lr: (t) => (t <= 6 ? 0.1 - 0.01 * (t - 1) : 0.05 - 0.0045 * Math.min(t - 6, 10)),
    }),
  'optax.sgd(optax.warmup_cosine_decay_schedule(0.0, 0.1, 5, 20))': () =>
    sgd({ lr: (t) => (t <= 5 ? (0.1 * (t - 1)) / 5 : wave(0.1, 0, (t - 6) / 15)) }),
  'SGD(p, lr=0.1, mom=0.9) of fastai': () => sgd({ momentum: 0.9 }),
  'Adam(p, lr=0.1) of fastai': () => adam({ beta2: 0.99, eps: 1e-5, decoupled: 0.01 }),
  'learn.fit_one_cycle(1, lr_max=0.1) of 20 batches': () =>
    adam({
      lr: combined(0.1 / 25, 0.1, 1e-6),
      beta1: combined(0.95, 0.85, 0.95),
      beta2: 0.99,
      eps: 1e-5,
      decoupled: 0.01,
    }),
}

/** Evaluates a code cell; a statement is applied to an optimizer after three steps. */
function evaluate(code: string, optimizer?: tf.Optimizer): unknown {
  const scope = { ...core, ...own, tf, optimizer }
  return new Function(...Object.keys(scope), `return (${code})`)(...Object.values(scope))
}

const isStatement = (code: string): boolean => code.startsWith('optimizer.')

/** The parameters after each step of the optimizer of a cell. */
function run(code: string, base: () => tf.Optimizer): Vector {
  const optimizer = isStatement(code) ? base() : (evaluate(code) as tf.Optimizer)
  const kernel = tf.variable(tf.tensor1d([...start.slice(0, 2)]), true, 'kernel')
  const bias = tf.variable(tf.tensor1d([start[2]]), true, 'bias')
  const seen: number[] = []
  for (let t = 1; t <= steps; t++) {
    const g = gradientAt([...kernel.dataSync(), ...bias.dataSync()], t)
    const gradients = { kernel: tf.tensor1d(g.slice(0, 2)), bias: tf.tensor1d(g.slice(2)) }
    optimizer.applyGradients(gradients)
    if (t === 3 && isStatement(code)) evaluate(code, optimizer)
    if ('report' in optimizer) (optimizer as own.RuleOptimizer).report(1)
    seen.push(...kernel.dataSync(), ...bias.dataSync())
  }
  tf.dispose([kernel, bias])
  return seen
}

/** The parameters after each step of a reference. */
function simulate(step: Step): Vector {
  let theta = start
  return Array.from({ length: steps }, (_, i) => {
    theta = step(theta, gradientAt(theta, i + 1), i + 1)
    return theta
  }).flat()
}

describe.each(sections)('coming from $title', ({ title, rows }) => {
  test.each(rows)('$there is $here', ({ there, here }) => {
    const tolerance = { relative: 1e-3, absolute: 1e-4 }
    if (!title.startsWith('tf.train')) {
      expectClose(
        run(here, () => new own.SGD(0.1)),
        simulate(references[there]()),
        tolerance,
      )
    } else if (there.includes('learningRate')) {
      // An assignment to tf.train.sgd does nothing.
      const found = run(here, () => new own.Adam(0.1, 0.9, 0.999, 1e-7))
      expectClose(
        found,
        run(there, () => tf.train.adam(0.1)),
        tolerance,
      )
    } else {
      const found = run(here, () => new own.SGD(0.1))
      expectClose(
        found,
        run(there, () => tf.train.sgd(0.1)),
        tolerance,
      )
    }
  })
})

test('every reference has a row', () => {
  const there = sections
    .filter(({ title }) => !title.startsWith('tf.train'))
    .flatMap(({ rows }) => rows.map((row) => row.there))
  expect(there.toSorted()).toEqual(Object.keys(references).toSorted())
  expect(sections.map(({ rows }) => rows.length)).toEqual([7, 20, 12, 3])
})
