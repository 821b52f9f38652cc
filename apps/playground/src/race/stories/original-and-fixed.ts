import { racer } from '../../optimizers/racer.ts'
import type { Story } from '../story.ts'
import { keepsWithin, strays } from './facts.ts'

export const originalAndFixed: Story = {
  title: 'The original against the fixed',
  claim:
    'The first published code was Adam at half the learning rate; only the fixed one has friction.',
  because:
    'It kept the previous gradient by reference. One step later that is the current gradient, their difference is zero, and ξ is ½ for ever. The option is called “aliased” here, and is for comparison only.',
  race: {
    course: 'himmelblau',
    start: [0, -4],
    racers: [
      racer('diffgrad', { learningRate: 0.1, aliased: true }),
      racer('diffgrad', { learningRate: 0.1 }),
      racer('adam', { learningRate: 0.05 }),
    ],
    steps: 150,
    speed: 20,
    selected: 1,
  },
  facts: [
    keepsWithin(0, 2, 0.1, 'The original is never 0.1 away from Adam at half the rate.'),
    strays(1, 2, 1, 'The fixed one is once more than 1 away from it.'),
  ],
}
