import type { UpdateRule } from '@diffgrad/core'
import type { LooseOptions, NumericGradients, Session, Setup, Start, Subject } from '../subject.ts'

/** Two parameters, of one and two axes. */
export const parameters: Readonly<Record<string, Start>> = {
  bias: { values: [0.5, -1.25, 2], shape: [3] },
  weights: { values: [1, -0.5, 0.25, -2, 3, 0.125], shape: [3, 2] },
}

/** Gradients that change size and sign from step to step, for all of `parameters`. */
export const gradientsAt = (t: number, scale = 1): NumericGradients => ({
  bias: [0, 1, 2].map((i) => scale * Math.sin(1.7 * t + i) * (i + 0.5)),
  weights: [0, 1, 2, 3, 4, 5].map((i) => scale * Math.cos(2.3 * t * (i + 1)) * (0.2 + i)),
})

/** Those of the options that a rule has. */
export const known = (rule: UpdateRule, options: LooseOptions): LooseOptions =>
  Object.fromEntries(Object.entries(options).filter(([option]) => option in rule.defaults))

/** A session over `parameters`, in the first data type of the subject unless told otherwise. */
export const begin = (
  subject: Subject,
  rule: UpdateRule,
  options: LooseOptions = {},
  setup: Partial<Setup> = {},
): Session =>
  subject.create(rule, {
    dtype: subject.dtypes[0],
    parameters,
    options,
    ...setup,
  })

/** Steps from `first` to `last`, inclusive, along `gradientsAt`. */
export async function walk(
  session: Session,
  first: number,
  last: number,
  scale = 1,
): Promise<void> {
  for (let t = first; t <= last; t++) await session.step(gradientsAt(t, scale))
}

/** Where the parameters are after ten steps. */
export async function trajectory(
  subject: Subject,
  rule: UpdateRule,
  options: LooseOptions = {},
  setup: Partial<Setup> = {},
): Promise<Readonly<Record<string, number[]>>> {
  const session = begin(subject, rule, options, setup)
  await walk(session, 1, 10)
  return session.parameters()
}
