import { Adam, type ArraysOptimizer, DiffGrad, type ParameterSet } from '@diffgrad/arrays'
import { type Landscape, paper } from '@diffgrad/landscapes'
import { Command, InvalidArgumentError } from 'commander'

/** Starts an optimizer at a learning rate, with the other settings of the paper. */
type Racer = (parameters: ParameterSet, learningRate: number) => ArraysOptimizer

const betas = { beta1: 0.95, beta2: 0.999 }

const racers: Readonly<Record<string, Racer>> = {
  diffGrad: (x, learningRate) => new DiffGrad(x, { ...betas, learningRate }),
  Adam: (x, learningRate) => new Adam(x, { ...betas, learningRate }),
  'Adam at half the rate': (x, learningRate) =>
    new Adam(x, { ...betas, learningRate: learningRate / 2 }),
}

/** Where an optimizer is after each number of steps, from x = −1. */
function descend(
  landscape: Landscape,
  racer: Racer,
  rate: number,
  stops: readonly number[],
): number[] {
  const x = Float64Array.of(-1)
  const optimizer = racer({ x }, rate)
  return stops.map((stop) => {
    while (optimizer.updates < stop) {
      optimizer.step({ x: Float64Array.from(landscape.gradient([...x])) })
    }
    return x[0]
  })
}

const number =
  (holds: (value: number) => boolean, text: string) =>
  (given: string): number => {
    if (!holds(Number(given))) throw new InvalidArgumentError(`It must be ${text}.`)
    return Number(given)
  }
const count = number((n) => Number.isSafeInteger(n) && n >= 1, 'a whole number, at least 1')
const positive = number((x) => Number.isFinite(x) && x > 0, 'a number above 0')

const { steps, learningRate: rate } = new Command('npm start --')
  .description('Lets diffGrad and Adam race on the functions of the diffGrad paper.')
  .option('--steps <count>', 'how many steps each optimizer takes', count, 300)
  .option('--learning-rate <rate>', 'the learning rate', positive, 0.1)
  .parse()
  .opts<{ steps: number; learningRate: number }>()

console.log(`diffGrad and Adam on the functions of the diffGrad paper: ${steps} steps from x = −1,`)
console.log(`learning rate ${rate}, β₁ 0.95, β₂ 0.999.`)
const stops = [...new Set([10, 30, 100, steps].filter((stop) => stop <= steps))]
for (const landscape of paper) {
  const [minimum] = landscape.minimum
  const rows = Object.entries(racers).map(([name, racer]) => {
    const path = descend(landscape, racer, rate, stops)
    const end = path[path.length - 1]
    const columns = path.map((x, i) => [`x after ${stops[i]}`, x.toFixed(4)])
    const found = Math.abs(end - minimum) < 0.01 ? 'yes' : 'no'
    const loss = landscape.value([end]).toFixed(4)
    return [name, { ...Object.fromEntries(columns), loss, 'global minimum': found }]
  })
  console.log(`\n${landscape.name}: ${landscape.equation}; minimum at x = ${minimum}`)
  console.table(Object.fromEntries(rows))
}
console.log(`
What the friction of diffGrad does here, half the learning rate does as well: on gradients that
change slowly it is close to ½. docs/rule.md says when the two differ.`)
