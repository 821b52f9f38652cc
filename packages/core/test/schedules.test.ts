import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectClose } from '../../testing/src/tolerance.ts'
import {
  constant,
  cosine,
  exponential,
  flatCosine,
  inverseSquareRoot,
  join,
  lambda,
  linear,
  oneCycle,
  oneCycleMomentum,
  piecewise,
  plateau,
  polynomial,
  type Schedule,
  scheduleValue,
  stepDecay,
  warmRestarts,
} from '../src/index.ts'

const value = fc.double({ min: 0, max: 10, noNaN: true })
const steps = fc.integer({ min: 2, max: 1000 })
const ramp = fc.record({ from: value, to: value, steps })

/** A few roundings of the largest value, 10. */
const rounding = { relative: 1e-12, absolute: 1e-14 }

/** The largest change from one step to the next. */
const largestJump = (schedule: Schedule, last: number): number => {
  let jump = 0
  for (let t = 0; t < last; t++) {
    const [now, next] = [t, t + 1].map((step) => scheduleValue(schedule, step))
    jump = Math.max(jump, Math.abs(next - now))
  }
  return jump
}

test.each([
  ['linear', linear],
  ['cosine', cosine],
])('%s starts at from, ends at to, and stays between them', (_, make) => {
  fc.assert(
    fc.property(ramp, fc.nat(2000), ({ from, to, steps }, t) => {
      const schedule = make({ from, to, steps })
      expectClose(scheduleValue(schedule, 0), from, rounding)
      expectClose(scheduleValue(schedule, steps), to, rounding)
      expectClose(scheduleValue(schedule, steps + t), to, rounding)
      const now = scheduleValue(schedule, t)
      expect(now).toBeGreaterThanOrEqual(Math.min(from, to) - 1e-12)
      expect(now).toBeLessThanOrEqual(Math.max(from, to) + 1e-12)
    }),
  )
})

test('a join is continuous where its segments meet in value, and counts the steps of each from its own start', () => {
  fc.assert(
    fc.property(value, value, value, steps, steps, (a, b, c, n, m) => {
      const first = linear({ from: a, to: b, steps: n })
      const second = cosine({ from: b, to: c, steps: m })
      const joined = join({ schedule: first, steps: n }, { schedule: second, steps: m })
      const steepest = Math.max(Math.abs(b - a) / n, (Math.PI / 2) * (Math.abs(c - b) / m))
      expect(largestJump(joined, n + m + 2)).toBeLessThanOrEqual(steepest + 1e-9)
      expectClose(scheduleValue(joined, n), b, rounding)
      expectClose(scheduleValue(joined, n + m), c, rounding)
      expect(scheduleValue(joined, n + 1)).toBe(scheduleValue(second, 1))
    }),
  )
})

test('flatCosine is constant until its start, and ends at to', () => {
  const start = fc.double({ min: 0.01, max: 0.99, noNaN: true })
  fc.assert(
    fc.property(ramp, start, ({ from, to, steps }, start) => {
      const schedule = flatCosine({ from, to, steps, start })
      const flat = Math.min(Math.max(Math.round(start * steps), 1), steps - 1)
      expectClose(scheduleValue(schedule, flat), from, rounding)
      expect(scheduleValue(schedule, flat - 1)).toBe(from)
      expectClose(scheduleValue(schedule, steps), to, rounding)
      expect(largestJump(schedule, steps)).toBeLessThanOrEqual(
        ((Math.PI / 2) * Math.abs(to - from)) / (steps - flat) + 1e-9,
      )
    }),
  )
})

test('one cycle peaks where its momentum is lowest', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-4, max: 1, noNaN: true }), steps, (peak, steps) => {
      const rates = oneCycle({ peak, steps })
      const momenta = oneCycleMomentum({ steps })
      const top = Math.min(Math.max(Math.round(0.3 * steps), 1), steps - 1)
      expectClose(scheduleValue(rates, 0), peak / 25, rounding)
      expectClose(scheduleValue(rates, top), peak, rounding)
      expectClose(scheduleValue(rates, steps), peak / 25e4, { relative: 1e-9 }) // Rounded at the scale of the peak.
      expectClose(scheduleValue(momenta, 0), 0.95, rounding)
      expectClose(scheduleValue(momenta, top), 0.85, rounding)
      expectClose(scheduleValue(momenta, steps), 0.95, rounding)
    }),
  )
})

test('exponential and step decay are powers of their factor', () => {
  const smooth = exponential({ from: 2, factor: 0.5 })
  const stairs = stepDecay({ from: 2, factor: 0.5, every: 3 })
  expect([0, 1, 2, 3].map((t) => scheduleValue(smooth, t))).toEqual([2, 1, 0.5, 0.25])
  expect([0, 2, 3, 5, 6].map((t) => scheduleValue(stairs, t))).toEqual([2, 2, 1, 1, 0.5])
})

test('warm restarts happen after n, n + gn, n + gn + g²n … steps', () => {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 4 }),
      (n, g, k) => {
        const schedule = warmRestarts({ from: 1, to: 0, steps: n, growth: g })
        let start = 0
        for (let cycle = 0; cycle < k; cycle++) start += n * g ** cycle
        expect(scheduleValue(schedule, start)).toBe(1)
        expectClose(scheduleValue(schedule, start + (n * g ** k) / 2), 0.5, rounding)
      },
    ),
  )
})

test('a plateau falls once patience is exceeded, down to its minimum, and sees reports from its own start', () => {
  const schedule = plateau({ from: 1, factor: 0.1, patience: 1, minimum: 0.05 })
  const at = (...losses: number[]): number =>
    scheduleValue(
      schedule,
      losses.length,
      losses.map((loss, i) => ({ step: i + 1, loss })),
    )
  expect(at(3, 2, 1)).toBe(1)
  expect(at(3, 3)).toBe(1)
  expectClose(at(3, 3, 3), 0.1, rounding)
  expectClose(at(3, 3, 2, 3, 2), 0.1, rounding)
  expect(at(3, 3, 3, 3, 3)).toBe(0.05)

  const later = join({ schedule: constant(1), steps: 2 }, { schedule, steps: 9 })
  const reports = [3, 3, 3, 3].map((loss, i) => ({ step: i + 1, loss }))
  expect(scheduleValue(later, 5, reports)).toBe(1)
})

// The learning rates of torch.optim.lr_scheduler.ReduceLROnPlateau 1.13 with factor 0.5, after each report.
test.each([
  [
    { patience: 1, cooldown: 2 },
    [4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2.99, 3],
    [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.125],
  ],
  [
    { patience: 1, cooldown: 1, mode: 'max', threshold: 0.05 } as const,
    [0.5, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.61, 0.64, 0.65, 0.65, 0.7],
    [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125],
  ],
  [
    { patience: 0, cooldown: 2, mode: 'max', threshold: 0.05 } as const,
    [0.5, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.61, 0.64, 0.65, 0.65, 0.7],
    [1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.0625, 0.0625],
  ],
])('a plateau with %j falls where that of torch does', (options, figures, rates) => {
  const schedule = plateau({ from: 1, factor: 0.5, ...options })
  const reports = figures.map((loss, i) => ({ step: i + 1, loss }))
  const found = figures.map((_, i) => scheduleValue(schedule, i + 1, reports.slice(0, i + 1)))
  expect(found).toEqual(rates)
})

test('polynomial decay is that of torch: (1 − t / steps)ᵖᵒʷᵉʳ', () => {
  const schedule = polynomial({ from: 0.5, to: 0.1, steps: 4, power: 2 })
  const expected = [0.5, 0.1 + 0.4 * 0.5625, 0.1 + 0.4 * 0.25, 0.1 + 0.4 * 0.0625, 0.1, 0.1]
  expectClose(
    expected.map((_, t) => scheduleValue(schedule, t)),
    expected,
    rounding,
  )
})

test('the inverse square root is that of the Transformer, and of T5 if it starts at its peak', () => {
  const [width, warmup] = [512, 4000]
  const schedule = inverseSquareRoot({ peak: (width * warmup) ** -0.5, warmup })
  for (const t of [1, 2, 2000, 3999, 4000, 4001, 16000]) {
    const expected = width ** -0.5 * Math.min(t ** -0.5, t * warmup ** -1.5)
    expectClose(scheduleValue(schedule, t - 1), expected, rounding)
  }
  const t5 = inverseSquareRoot({ from: 0.01, peak: 0.01, warmup: 10_000 })
  for (const n of [1, 9999, 10_000, 40_000]) {
    expectClose(scheduleValue(t5, n - 1), 1 / Math.sqrt(Math.max(n, 10_000)), rounding)
  }
})

test('a table holds each value from its step on, or leads to it along a straight line', () => {
  const points = [
    [0, 0.4],
    [2, 0.1],
    [6, 0.3],
  ] as const
  const at = (schedule: Schedule): number[] =>
    Array.from({ length: 8 }, (_, t) => scheduleValue(schedule, t))
  expect(at(piecewise(points))).toEqual([0.4, 0.4, 0.1, 0.1, 0.1, 0.1, 0.3, 0.3])
  expectClose(
    at(piecewise(points, { linear: true })),
    [0.4, 0.25, 0.1, 0.15, 0.2, 0.25, 0.3, 0.3],
    rounding,
  )
})

test('a function of the step is called with the step, counted from 0', () => {
  const schedule = lambda((step) => 1 / (1 + step))
  expect([0, 1, 3].map((t) => scheduleValue(schedule, t))).toEqual([1, 0.5, 0.25])
  expect(scheduleValue({ ...schedule, startStep: 2 }, 3)).toBe(0.5)
})

test('schedules are JSON', () => {
  const schedules = [
    polynomial({ from: 1, steps: 10, power: 2 }),
    inverseSquareRoot({ peak: 1, warmup: 3 }),
    piecewise([
      [0, 1],
      [3, 2],
    ]),
    plateau({ from: 1, cooldown: 3, mode: 'max' }),
    constant(1),
    flatCosine({ from: 1, steps: 10 }),
    oneCycle({ peak: 1, steps: 10 }),
    warmRestarts({ from: 1, steps: 3, growth: 2 }),
    plateau({ from: 1 }),
  ]
  for (const schedule of schedules) {
    const parsed = JSON.parse(JSON.stringify(schedule))
    for (let t = 0; t < 12; t++) expect(scheduleValue(parsed, t)).toBe(scheduleValue(schedule, t))
  }
})

test.each([
  [
    () => linear({ from: -1, steps: 3 }),
    'linear: from must be a finite number, at least 0, but is -1',
  ],
  [
    () => cosine({ from: 1, steps: 0 }),
    'cosine: steps must be a whole number, at least 1, but is 0',
  ],
  [() => constant(Number.NaN), 'constant: value must be a finite number, at least 0, but is NaN'],
  [
    () => flatCosine({ from: 1, steps: 9, start: 1 }),
    'flatCosine: start must be in [0, 1), but is 1',
  ],
  [
    () => oneCycle({ peak: 1, steps: 1 }),
    'oneCycle: steps must be a whole number, at least 2, but is 1',
  ],
  [
    () => stepDecay({ from: 1, factor: 0, every: 2 }),
    'stepDecay: factor must be a finite number above 0, but is 0',
  ],
  [
    () => plateau({ from: 1, patience: -1 }),
    'plateau: patience must be a finite number, at least 0, but is -1',
  ],
  [
    () => plateau({ from: 1, cooldown: -1 }),
    'plateau: cooldown must be a whole number, at least 0, but is -1',
  ],
  [
    () => piecewise([[1, 0.1]]),
    'piecewise: points must be a list of [step, value] whose steps increase from 0, and whose values are at least 0, but is [[1,0.1]]',
  ],
  [
    () => inverseSquareRoot({ peak: 1, warmup: 0 }),
    'inverseSquareRoot: warmup must be a whole number, at least 1, but is 0',
  ],
  [
    () => join({ schedule: lambda(() => 1), steps: 2 }),
    'join: a segment cannot be a lambda; compute all segments in one function',
  ],
  [() => join(), 'join: segments must be a list of at least one segment, but is []'],
])('an invalid schedule throws: case %#', (make, message) => {
  expect(make).toThrow(new RangeError(message))
})
