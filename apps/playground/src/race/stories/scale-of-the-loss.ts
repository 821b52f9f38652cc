import { racer } from '../../optimizers/racer.ts'
import type { Story } from '../story.ts'
import { endsAt, keepsWithin } from './facts.ts'
import { paperSettings } from './paper-settings.ts'

export const scaleOfTheLoss: Story = {
  title: 'The scale of the loss changes diffGrad, not Adam',
  claim:
    'Multiply the loss by 100, and Adam does the same as before; diffGrad overshoots like Adam.',
  because:
    'ξ is computed from the size of the change of the gradient. A hundred times the loss is a hundred times the change, and ξ goes to 1. A sum instead of a mean, loss scaling and clipping all do this.',
  race: {
    course: 'f1',
    start: [-1],
    racers: [
      racer('diffgrad', paperSettings),
      racer('diffgrad', paperSettings, 100),
      racer('adam', paperSettings),
      racer('adam', paperSettings, 100),
    ],
    steps: 300,
    speed: 40,
    selected: 1,
  },
  facts: [
    endsAt(0, -0.3, 'diffGrad on the loss as it is ends at x = −0.3.'),
    endsAt(1, 0.2, 'diffGrad on 100 times the loss ends at x = 0.2.'),
    keepsWithin(2, 3, 1e-6, 'The two Adams are never a millionth apart.'),
  ],
}
