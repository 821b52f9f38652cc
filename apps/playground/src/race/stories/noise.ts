import { racer } from '../../optimizers/racer.ts'
import { Descent } from '../descent.ts'
import type { Story } from '../story.ts'

const settings = { learningRate: 0.05 }

export const noise: Story = {
  title: 'Noise loosens the brake',
  claim: 'Where gradients are noisy they change at every step, and ξ leaves ½.',
  because:
    'ξ cannot tell a gradient that turns from one that is only noisy. Here the noise has a deviation of 1, and diffGrad moves at about three quarters of Adam’s pace, along the valley as well as across.',
  race: {
    course: 'ravine',
    start: [-4, 2],
    racers: [
      racer('diffgrad', settings),
      racer('adam', settings),
      racer('adam', { learningRate: 0.025 }),
    ],
    steps: 200,
    speed: 40,
    selected: 0,
  },
  facts: [
    {
      text: 'Over the race, the mean of ξ lies between 0.7 and 0.76.',
      holds: (_, { landscape, steps }) => {
        const watched = new Descent(racer('diffgrad', settings), landscape, [-4, 2], {
          inspected: true,
        })
        const all = watched.inside(steps).flatMap(({ xi = [] }) => xi)
        const mean = all.reduce((sum, xi) => sum + xi, 0) / all.length
        return mean > 0.7 && mean < 0.76
      },
    },
    {
      text: 'diffGrad has come further than Adam at half the rate, and less far than Adam.',
      holds: (descents, { steps }) => {
        const [ours, adam, half] = descents.map((descent) => descent.at(steps)[0])
        return half < ours && ours < adam
      },
    },
  ],
}
