/** A value that goes from one number to another. */
interface Ramp {
  readonly from: number
  readonly to: number
  /** Over how many steps, after which it stays at `to`. */
  readonly steps: number
}

/** How a hyperparameter changes with the step: plain JSON, made by the functions beside it. */
export type Schedule =
  | { readonly kind: 'constant'; readonly value: number }
  | ({ readonly kind: 'linear' } & Ramp)
  | ({ readonly kind: 'cosine' } & Ramp)
  | { readonly kind: 'exponential'; readonly from: number; readonly factor: number }
  | {
      readonly kind: 'stepDecay'
      readonly from: number
      readonly factor: number
      readonly every: number
    }
  | ({ readonly kind: 'warmRestarts'; readonly growth: number } & Ramp)
  | {
      readonly kind: 'plateau'
      readonly from: number
      readonly factor: number
      readonly patience: number
      readonly threshold: number
      readonly minimum: number
    }
  | { readonly kind: 'join'; readonly pieces: readonly Piece[] }

/** A schedule that runs for some steps. */
export interface Piece {
  readonly schedule: Schedule
  readonly steps: number
}

/** A loss reported at a step, which is what a plateau schedule waits for. */
export interface Report {
  readonly step: number
  readonly loss: number
}

/**
 * The value of a schedule, or of a constant, at a step: for a learning rate, and likewise for a
 * momentum or a weight decay.
 *
 * @param step - how many steps were taken before, so 0 at the first.
 * @param reports - the losses reported until now, oldest first; only a plateau schedule reads them.
 */
export function scheduleValue(
  schedule: Schedule | number,
  step: number,
  reports: readonly Report[] = [],
): number {
  if (typeof schedule === 'number') return schedule
  switch (schedule.kind) {
    case 'constant':
      return schedule.value
    case 'linear':
      return between(schedule, Math.min(step / schedule.steps, 1))
    case 'cosine':
      return between(schedule, easeInOut(Math.min(step / schedule.steps, 1)))
    case 'exponential':
      return schedule.from * schedule.factor ** step
    case 'stepDecay':
      return schedule.from * schedule.factor ** Math.floor(step / schedule.every)
    case 'warmRestarts':
      return between(schedule, easeInOut(phaseOfCycle(schedule, step)))
    case 'plateau':
      return Math.max(
        schedule.from * schedule.factor ** reductions(schedule, reports),
        schedule.minimum,
      )
    case 'join':
      return joinedAt(schedule.pieces, step, reports)
  }
}

const between = ({ from, to }: Ramp, share: number): number => from + (to - from) * share

/** Half a cosine wave, from 0 to 1. */
const easeInOut = (share: number): number => (1 - Math.cos(Math.PI * share)) / 2

/**
 * How much of its cycle is over, where the first takes `steps` and each next `growth` times as long.
 *
 * @see Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
 * arXiv:1608.03983.
 */
function phaseOfCycle({ steps, growth }: { steps: number; growth: number }, step: number): number {
  let length = steps
  let start = 0
  while (step >= start + length) {
    start += length
    length *= growth
  }
  return (step - start) / length
}

/** How often `patience` reports in a row failed to better the best loss by the threshold. */
function reductions(
  { patience, threshold }: { patience: number; threshold: number },
  reports: readonly Report[],
): number {
  let best = Number.POSITIVE_INFINITY
  let failures = 0
  let reduced = 0
  for (const { loss } of reports) {
    if (loss < best - threshold * Math.abs(Number.isFinite(best) ? best : 0)) {
      best = loss
      failures = 0
    } else if (++failures > patience) {
      reduced++
      failures = 0
    }
  }
  return reduced
}

/** Each piece counts its steps, and sees reports, from its own start; the last one goes on. */
function joinedAt(pieces: readonly Piece[], step: number, reports: readonly Report[]): number {
  const [{ schedule, steps }, ...rest] = pieces
  if (step < steps || rest.length === 0) return scheduleValue(schedule, step, reports)
  const later = reports
    .filter((report) => report.step > steps)
    .map((report) => ({ ...report, step: report.step - steps }))
  return joinedAt(rest, step - steps, later)
}
