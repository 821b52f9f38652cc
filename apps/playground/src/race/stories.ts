import type { Landscape } from '@diffgrad/testing/landscapes'
import { configure } from '../optimizers/config.ts'
import type { RaceState } from '../state.ts'
import { Trajectory } from './trajectory.ts'

/** A statement that holds at the end of a race, and the check of it. */
interface Fact {
  readonly text: string
  holds(
    trajectories: readonly Trajectory[],
    race: { readonly steps: number; readonly landscape: Landscape },
  ): boolean
}

/** A race that demonstrates something. */
interface Story {
  readonly title: string
  /** What the race demonstrates, in one sentence. */
  readonly claim: string
  readonly explanation: string
  readonly race: Omit<RaceState, 'tab' | 'currentStep' | 'story'>
  /** Shown with the outcomes of their checks when the race is over. */
  readonly facts: readonly Fact[]
}

/** The options of the paper's experiments on F1, F2 and F3. */
const paperOptions = { learningRate: 0.1, beta1: 0.95, beta2: 0.999 } as const

const adamOvershoots: Story = {
  title: 'Adam overshoots F1',
  claim:
    'Adam rolls through the deeper bowl and settles in the shallow one; diffGrad stops in time.',
  explanation:
    'This is the paper’s picture. diffGrad multiplies each step by its friction ξ, about ½ on a slope that changes this slowly, and so arrives with half the momentum.',
  race: {
    landscape: 'f1',
    start: [-1],
    optimizers: [configure('adam', paperOptions), configure('diffgrad', paperOptions)],
    steps: 300,
    speed: 40,
    selected: 1,
  },
  facts: [
    endsAt(0, 0.2, 'Adam ends at x = 0.2, in the local minimum.'),
    endsAt(1, -0.3, 'diffGrad ends at x = −0.3, in the global one.'),
  ],
}

const halfTheRate: Story = {
  title: 'Adam at half the rate does not',
  claim: 'Give Adam half the learning rate, and it stops where diffGrad stops.',
  explanation:
    'On F1 gradients change little from step to step, so ξ stays at ½: diffGrad is then Adam at half the learning rate. Whoever credits the friction should first run this control.',
  race: {
    landscape: 'f1',
    start: [-1],
    optimizers: [
      configure('adam', paperOptions),
      configure('diffgrad', paperOptions),
      configure('adam', { ...paperOptions, learningRate: 0.05 }),
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

const scaleOfTheLoss: Story = {
  title: 'The scale of the loss changes diffGrad, not Adam',
  claim:
    'Multiply the loss by 100, and Adam does the same as before; diffGrad overshoots like Adam.',
  explanation:
    'ξ is computed from the size of the change of the gradient. A hundred times the loss is a hundred times the change, and ξ goes to 1. A sum instead of a mean, loss scaling and clipping all do this.',
  race: {
    landscape: 'f1',
    start: [-1],
    optimizers: [
      configure('diffgrad', paperOptions),
      configure('diffgrad', paperOptions, 100),
      configure('adam', paperOptions),
      configure('adam', paperOptions, 100),
    ],
    steps: 300,
    speed: 40,
    selected: 1,
  },
  facts: [
    endsAt(0, -0.3, 'diffGrad on the loss as it is ends at x = −0.3.'),
    endsAt(1, 0.2, 'diffGrad on 100 times the loss ends at x = 0.2.'),
    {
      text: 'The two Adams are never a millionth apart.',
      holds: (trajectories, { steps }) =>
        largestDistance(trajectories[2], trajectories[3], steps) < 1e-6,
    },
  ],
}

const versions: Story = {
  title: 'Versions 0, 1 and 2',
  claim:
    'ξ comes in three versions: a brake, a signed brake, and one that may push five times as hard.',
  explanation:
    'Version 0 lies between ½ and 1, version 1 between 0 and 1, version 2 between ½ and 5. Down the cliff of F2 the gradient jumps by 40, and version 2 takes its whole five.',
  race: {
    landscape: 'f2',
    start: [-1],
    optimizers: [0, 1, 2].map((version) => configure('diffgrad', { ...paperOptions, version })),
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

const originalAndFixed: Story = {
  title: 'The original against the fixed',
  claim:
    'The first published code was Adam at half the learning rate; only the fixed one has friction.',
  explanation:
    'It kept the previous gradient by reference. One step later that is the current gradient, their difference is zero, and ξ is ½ for ever. The option is called “aliased” here, and is for comparison only.',
  race: {
    landscape: 'himmelblau',
    start: [0, -4],
    optimizers: [
      configure('diffgrad', { learningRate: 0.1, aliased: true }),
      configure('diffgrad', { learningRate: 0.1 }),
      configure('adam', { learningRate: 0.05 }),
    ],
    steps: 150,
    speed: 20,
    selected: 1,
  },
  facts: [
    {
      text: 'The original is never 0.1 away from Adam at half the rate.',
      holds: ([original, , adam], { steps }) => largestDistance(original, adam, steps) < 0.1,
    },
    {
      text: 'The fixed one is once more than 1 away from it.',
      holds: ([, fixed, adam], { steps }) => largestDistance(fixed, adam, steps) > 1,
    },
  ],
}

const firstFiveSteps: Story = {
  title: 'DiffRGrad’s first five steps',
  claim: 'It begins with five steps of plain momentum, then all but stops, then speeds up.',
  explanation:
    'RAdam and DiffRGrad do not trust the average of squared gradients until it has seen enough of them. Until then they go without it, or wait; the first step that uses it is scaled down to a fortieth of Adam’s.',
  race: {
    landscape: 'f1',
    start: [-1],
    optimizers: [
      configure('diffrgrad', { learningRate: 0.1 }),
      configure('diffrgrad', { learningRate: 0.1, degenerateToSgd: false }),
      configure('adam', { learningRate: 0.1 }),
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

const noisyDiffGrad = configure('diffgrad', { learningRate: 0.05 })

const noise: Story = {
  title: 'Noise loosens the brake',
  claim: 'Where gradients are noisy they change at every step, and ξ leaves ½.',
  explanation:
    'ξ cannot distinguish a gradient that changes direction from one that is only noisy. Here the noise has a deviation of 1, and diffGrad moves at about three quarters of Adam’s pace, along the valley as well as across.',
  race: {
    landscape: 'ravine',
    start: [-4, 2],
    optimizers: [
      noisyDiffGrad,
      configure('adam', { learningRate: 0.05 }),
      configure('adam', { learningRate: 0.025 }),
    ],
    steps: 200,
    speed: 40,
    selected: 0,
  },
  facts: [
    {
      text: 'Over the race, the mean of ξ lies between 0.7 and 0.76.',
      holds: (_, { landscape, steps }) => {
        const inspected = new Trajectory(noisyDiffGrad, landscape, [-4, 2], { inspected: true })
        const friction = mean(inspected.internals(steps).flatMap(({ results }) => results.xi))
        return friction > 0.7 && friction < 0.76
      },
    },
    {
      text: 'diffGrad has come further than Adam at half the rate, and less far than Adam.',
      holds: (trajectories, { steps }) => {
        const [diffGrad, adam, halfRate] = trajectories.map((path) => path.at(steps)[0])
        return halfRate < diffGrad && diffGrad < adam
      },
    },
  ],
}

const adaNorm: Story = {
  title: 'AdaNorm keeps its pace',
  claim: 'On a slope that flattens, diffGrad slows down; with AdaNorm it does not.',
  explanation:
    'From the wall of Beale’s function the gradient becomes smaller at almost every step. AdaNorm lengthens a gradient that is shorter than its predecessors were on average, for the momentum alone. Its authors propose it against the small gradients that leave ξ at ½.',
  race: {
    landscape: 'beale',
    start: [1, 1.5],
    optimizers: [
      configure('diffgrad', { learningRate: 0.1 }),
      configure('diffgradnorm', { learningRate: 0.1 }),
      configure('adam', { learningRate: 0.1 }),
    ],
    steps: 300,
    speed: 40,
    selected: 1,
  },
  facts: [
    {
      text: 'After 150 steps its loss is less than a tenth of diffGrad’s.',
      holds: ([diffGrad, normed]) => normed.losses(150)[150] < diffGrad.losses(150)[150] / 10,
    },
    {
      text: 'It is then less than Adam’s at the same rate, too, and at the end.',
      holds: ([, normed, adam], { steps }) =>
        [150, steps].every((t) => normed.losses(t)[t] < adam.losses(t)[t]),
    },
    {
      text: 'With γ = 0, which lengthens nothing, it is diffGrad.',
      holds: ([diffGrad], { landscape, steps }) => {
        const options = { learningRate: 0.1, normDecay: 0 }
        const plain = new Trajectory(configure('diffgradnorm', options), landscape, [1, 1.5])
        return largestDistance(plain, diffGrad, steps) < 1e-9
      },
    },
  ],
}

const lion: Story = {
  title: 'Lion never brakes',
  claim: 'Every step of Lion is as long as its rate, in every direction, to the very end.',
  explanation:
    'Lion takes only the sign of an average. The size of the gradient does not matter, nor does a minimum that is near: at a constant rate it circles the minimum, where Adam comes to rest. So it needs a schedule that falls, and a third to a tenth of Adam’s rate.',
  race: {
    landscape: 'beale',
    start: [1, 1.5],
    optimizers: [
      configure('lion', { learningRate: 0.1 }),
      configure('lion', { learningRate: 0.1 }, 100),
      configure('adam', { learningRate: 0.1 }),
    ],
    steps: 300,
    speed: 40,
    selected: 0,
  },
  facts: [
    {
      text: 'Every step is 0.1 long in x and in y.',
      holds: ([path], { steps }) =>
        stepsOf(path, steps)
          .flat()
          .every((length) => Math.abs(length - 0.1) < 1e-9),
    },
    {
      text: 'On 100 times the loss it takes the same path.',
      holds: ([path, scaled], { steps }) => largestDistance(path, scaled, steps) < 1e-9,
    },
    {
      text: 'Adam’s last step is less than a hundredth as long.',
      holds: ([, , adam], { steps }) =>
        stepsOf(adam, steps)[steps - 1].every((length) => length < 1e-3),
    },
  ],
}

const scheduleFree: Story = {
  title: 'Schedule-Free needs no schedule',
  claim:
    'With noise and a constant rate, SGD and Adam jump about the minimum to the end; the averages of Schedule-Free come to rest beside it.',
  explanation:
    'A schedule makes the last steps small, and so the noise in them; the length of the training must be known for it. Schedule-Free averages instead. It computes gradients at y, its parameters, and evaluates x, the average of all its steps. For Schedule-Free, the race shows x and the loss at x.',
  race: {
    landscape: 'ravine',
    start: [-4, 2],
    optimizers: [
      configure('schedulefreesgd', { learningRate: 0.2 }),
      configure('sgd', { learningRate: 0.2 }),
      configure('schedulefreeadamw', { learningRate: 0.2 }),
      configure('adam', { learningRate: 0.2 }),
    ],
    steps: 600,
    speed: 120,
    selected: 0,
  },
  facts: [
    {
      text: 'In the second half, the mean loss of Schedule-Free SGD is less than a tenth of SGD’s.',
      holds: ([averaged, sgd], { steps }) => lateLoss(averaged, steps) < lateLoss(sgd, steps) / 10,
    },
    {
      text: 'That of Schedule-Free AdamW is less than a fifth of Adam’s.',
      holds: ([, , averaged, adam], { steps }) =>
        lateLoss(averaged, steps) < lateLoss(adam, steps) / 5,
    },
    {
      text: 'In that half, each moves less than a tenth as far as SGD or Adam.',
      holds: (trajectories, { steps }) => {
        const [averagedSgd, sgd, averagedAdamW, adam] = trajectories.map((path) =>
          mean(
            stepsOf(path, steps)
              .slice(steps / 2)
              .map((step) => Math.hypot(...step)),
          ),
        )
        return Math.max(averagedSgd, averagedAdamW) < Math.min(sgd, adam) / 10
      },
    },
  ],
}

/** The stories in the order of the menu, by their names in URLs. */
export const stories: Readonly<Record<string, Story>> = {
  'adam-overshoots': adamOvershoots,
  'half-the-rate': halfTheRate,
  'scale-of-the-loss': scaleOfTheLoss,
  versions,
  'original-and-fixed': originalAndFixed,
  'first-five-steps': firstFiveSteps,
  noise,
  'ada-norm': adaNorm,
  lion,
  'schedule-free': scheduleFree,
}

/** The state of a story at its start. */
export const storyState = (story: string): RaceState => ({
  ...stories[story].race,
  tab: 'race',
  currentStep: 0,
  story,
})

/** The optimizer at an index ends within 0.005 of x. */
function endsAt(index: number, x: number, text: string): Fact {
  return {
    text,
    holds: (trajectories, { steps }) => Math.abs(trajectories[index].at(steps)[0] - x) < 0.005,
  }
}

/** The largest Euclidean distance between two trajectories at the same step. */
function largestDistance(a: Trajectory, b: Trajectory, steps: number): number {
  const other = b.path(steps)
  return Math.max(
    ...a.path(steps).map((point, t) => Math.hypot(...point.map((x, i) => x - other[t][i]))),
  )
}

/** The lengths of the steps of a trajectory, one for each variable. */
function stepsOf(trajectory: Trajectory, steps: number): readonly (readonly number[])[] {
  const path = trajectory.path(steps)
  return path.slice(1).map((point, t) => point.map((x, i) => Math.abs(x - path[t][i])))
}

/** The mean loss of the second half of a race. */
const lateLoss = (trajectory: Trajectory, steps: number): number =>
  mean(trajectory.losses(steps).slice(-steps / 2))

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
