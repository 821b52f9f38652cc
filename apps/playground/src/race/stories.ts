import { adamOvershoots } from './stories/adam-overshoots.ts'
import { firstFiveSteps } from './stories/first-five-steps.ts'
import { halfTheRate } from './stories/half-the-rate.ts'
import { noise } from './stories/noise.ts'
import { originalAndFixed } from './stories/original-and-fixed.ts'
import { scaleOfTheLoss } from './stories/scale-of-the-loss.ts'
import { versions } from './stories/versions.ts'
import type { Story } from './story.ts'

/** The stories in the order in which they are told, by the names that addresses use. */
export const stories: Readonly<Record<string, Story>> = {
  'adam-overshoots': adamOvershoots,
  'half-the-rate': halfTheRate,
  'scale-of-the-loss': scaleOfTheLoss,
  versions,
  'original-and-fixed': originalAndFixed,
  'first-five-steps': firstFiveSteps,
  noise,
}
