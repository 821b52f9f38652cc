import { racer } from '../../optimizers/racer.ts'
import type { Story } from '../story.ts'
import { endsAt } from './facts.ts'
import { paperSettings } from './paper-settings.ts'

export const adamOvershoots: Story = {
  title: 'Adam overshoots F1',
  claim:
    'Adam rolls through the deeper bowl and settles in the shallow one; diffGrad stops in time.',
  because:
    'This is the paper’s picture. diffGrad multiplies each step by its friction ξ, about ½ on a slope that changes this slowly, and so arrives with half the momentum.',
  race: {
    course: 'f1',
    start: [-1],
    racers: [racer('adam', paperSettings), racer('diffgrad', paperSettings)],
    steps: 300,
    speed: 40,
    selected: 1,
  },
  facts: [
    endsAt(0, 0.2, 'Adam ends at x = 0.2, in the local minimum.'),
    endsAt(1, -0.3, 'diffGrad ends at x = −0.3, in the global one.'),
  ],
}
