import { count, mustHold, nonNegative, positive, type Range } from '../ranges.ts'
import type { Schedule } from './schedule.ts'

const ramp = { from: nonNegative, to: nonNegative, steps: count }

/** What each kind of schedule is made of. */
const kinds: Readonly<Record<Schedule['kind'], Readonly<Record<string, Range>>>> = {
  constant: { value: nonNegative },
  linear: ramp,
  cosine: ramp,
  exponential: { from: nonNegative, factor: positive },
  stepDecay: { from: nonNegative, factor: positive, every: count },
  warmRestarts: { ...ramp, growth: count },
  plateau: {
    from: nonNegative,
    factor: positive,
    patience: nonNegative,
    threshold: nonNegative,
    minimum: nonNegative,
  },
  join: {
    pieces: {
      text: 'a list of at least one piece',
      holds: (pieces) => Array.isArray(pieces) && pieces.length > 0,
    },
  },
}

/**
 * Makes sure that a schedule, which may come from a file, is one.
 *
 * @throws RangeError naming the owner, the option, its range and its value.
 */
export function checkSchedule(owner: string, schedule: Schedule): void {
  mustHold(owner, 'the kind of a schedule', schedule.kind, {
    text: Object.keys(kinds).join(' or '),
    holds: (kind) => typeof kind === 'string' && Object.hasOwn(kinds, kind),
  })
  const options = new Map<string, unknown>(Object.entries(schedule))
  for (const [option, range] of Object.entries(kinds[schedule.kind])) {
    mustHold(owner, option, options.get(option), range)
  }
  if (schedule.kind !== 'join') return
  for (const piece of schedule.pieces) {
    mustHold(owner, 'steps', piece.steps, count)
    checkSchedule(owner, piece.schedule)
  }
}
