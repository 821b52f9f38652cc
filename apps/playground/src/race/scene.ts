import type { LandscapeView } from '../landscapes.ts'
import type { Trajectory } from './trajectory.ts'

/** What the drawings of a race need. */
export interface Scene {
  readonly view: LandscapeView
  readonly start: readonly number[]
  readonly trajectories: readonly Trajectory[]
  /** An index into `trajectories`. */
  readonly selected: number
  /** The length of the race. */
  readonly steps: number
  /** The position in time, in steps; fractional between two steps. */
  readonly position: number
}

/** The points from the start to a position; the last one is interpolated. */
export function pathUntil(
  trajectory: Trajectory,
  position: number,
): readonly (readonly number[])[] {
  const path = trajectory.path(Math.floor(position))
  return position > Math.floor(position) ? [...path, trajectory.interpolate(position)] : path
}

/** The indices of the trajectories in drawing order: the selected one last, on top of the others. */
export const drawingOrder = ({ trajectories, selected }: Scene): readonly number[] => [
  ...[...trajectories.keys()].filter((i) => i !== selected),
  ...(selected < trajectories.length ? [selected] : []),
]

/** The longest time that counts between two frames, in seconds: a hidden page has no frames. */
const longestFrame = 0.1

/** The position some seconds later, at most the end of the race. Negative times count as 0. */
export const advancePosition = (
  position: number,
  seconds: number,
  { speed, steps }: { readonly speed: number; readonly steps: number },
): number => Math.min(position + Math.min(Math.max(seconds, 0), longestFrame) * speed, steps)
