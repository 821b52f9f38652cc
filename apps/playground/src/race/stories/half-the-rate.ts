import { racer } from '../../optimizers/racer.ts'
import type { Story } from '../story.ts'
import { endsAt } from './facts.ts'
import { paperSettings } from './paper-settings.ts'

export const halfTheRate: Story = {
  title: 'Adam at half the rate does not',
  claim: 'Give Adam half the learning rate, and it stops where diffGrad stops.',
  because:
    'On F1 gradients change little from step to step, so ξ stays at ½: diffGrad is then Adam at half the learning rate. Whoever credits the friction should first run this control.',
  race: {
    course: 'f1',
    start: [-1],
    racers: [
      racer('adam', paperSettings),
      racer('diffgrad', paperSettings),
      racer('adam', { ...paperSettings, learningRate: 0.05 }),
    ],
    steps: 300,
    speed: 40,
    selected: 1,
  },
  facts: [
    endsAt(0, 0.2, 'Adam at 0.1 ends at x = 0.2, in the local minimum.'),
    endsAt(1, -0.3, 'diffGrad at 0.1 ends at x = −0.3.'),
    endsAt(2, -0.3, 'Adam at 0.05 ends there too.'),
  ],
}
