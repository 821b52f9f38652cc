import { racer } from '../../optimizers/racer.ts'
import type { Story } from '../story.ts'
import { endsAt } from './facts.ts'
import { paperSettings } from './paper-settings.ts'

export const versions: Story = {
  title: 'Versions 0, 1 and 2',
  claim:
    'ξ comes in three versions: a brake, a signed brake, and one that may push five times as hard.',
  because:
    'Version 0 lies between ½ and 1, version 1 between 0 and 1, version 2 between ½ and 5. Down the cliff of F2 the gradient jumps by 40, and version 2 takes its whole five.',
  race: {
    course: 'f2',
    start: [-1],
    racers: [0, 1, 2].map((version) => racer('diffgrad', { ...paperSettings, version })),
    steps: 300,
    speed: 40,
    selected: 2,
  },
  facts: [
    endsAt(0, -0.643, 'Version 0 ends at x = −0.643, in the global minimum.'),
    endsAt(1, -0.643, 'So does version 1.'),
    endsAt(2, 0, 'Version 2 is thrown past it, to the local minimum at 0.'),
  ],
}
