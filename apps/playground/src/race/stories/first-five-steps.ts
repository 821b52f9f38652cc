import { racer } from '../../optimizers/racer.ts'
import type { Story } from '../story.ts'

const settings = { learningRate: 0.1 }

export const firstFiveSteps: Story = {
  title: 'DiffRGrad’s first five steps',
  claim: 'It begins with five steps of plain momentum, then all but stops, then speeds up.',
  because:
    'RAdam and DiffRGrad do not trust the average of squared gradients until it has seen enough of them. Until then they go without it, or wait; the first step that uses it is scaled down to a fortieth of Adam’s.',
  race: {
    course: 'f1',
    start: [-1],
    racers: [
      racer('diffrgrad', settings),
      racer('diffrgrad', { ...settings, degenerateToSgd: false }),
      racer('adam', settings),
    ],
    steps: 24,
    speed: 3,
    selected: 0,
  },
  facts: [
    {
      text: 'In five steps DiffRGrad has come from −1 to −0.441.',
      holds: ([first]) => Math.abs(first.at(5)[0] + 0.441) < 1e-3,
    },
    {
      text: 'Its sixth step is less than a fiftieth of its fifth.',
      holds: ([first]) => {
        const [fourth, fifth, sixth] = [4, 5, 6].map((t) => first.at(t)[0])
        return sixth > fifth && sixth - fifth < (fifth - fourth) / 50
      },
    },
    {
      text: 'The one that waits has not moved before its sixth step.',
      holds: ([, second]) => second.at(5)[0] === -1 && second.at(6)[0] > -1,
    },
  ],
}
