/**
 * Efficiency of data-parallel training on paper: `pnpm --filter imagewoof scaling`. A step of every machine
 * lasts as long as that of the slowest, and then a ring all-reduce of the gradients, without overlap.
 *
 * @see Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms", J. Parallel Distrib. Comput. 69, 2009.
 */
import { randomNormal } from 'd3-random'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

const counts = [2, 4, 8, 16, 32, 64]
/** Gradients of XResNet-18, in bytes. */
const bytes = 44.8e6
/** Copies out of, and back into, one flat array: bytes per second. */
const copyRate = 5e9
/** Seconds per step of 32 images at 128 px: two cores are measured; 16 cores and a card are assumed. */
const machines = { '2 cores': 1.063, '16 cores': 0.177, 'graphics card': 0.05 }
/** Bytes per second, and seconds of latency. */
const networks = { '1 GbE': [0.11e9, 60e-6], '10 GbE': [1.1e9, 40e-6], '100 Gb': [9e9, 10e-6] }
/** Relative spread of a step's time. */
const spread = 0.04
const trainingImages = 9025

const generator = xoroshiro128plus(1)
const normal = randomNormal.source(() => uniformFloat64(generator))()

/** The mean time of the slowest of `count` machines, relative to one. */
function slowest(count: number): number {
  const trials = 1000
  let sum = 0
  for (let i = 0; i < trials; i++)
    sum += Math.exp(spread * Math.max(...Array.from({ length: count }, normal)))
  return sum / trials
}

console.log(`| XResNet-18 | network | ${counts.join(' | ')} |`)
console.log(`|---|---|${counts.map(() => '---').join('|')}|`)
const waits = counts.map(slowest)
for (const [machine, seconds] of Object.entries(machines))
  for (const [network, [rate, latency]] of Object.entries(networks)) {
    const cells = counts.map((count, i) => {
      const exchange = (2 * (count - 1) * bytes) / count / rate + 2 * (count - 1) * latency
      const all = seconds * waits[i] + exchange + (2 * bytes) / copyRate
      return `${((100 * seconds) / all).toFixed(0)} %`
    })
    console.log(`| ${machine} | ${network} | ${cells.join(' | ')} |`)
  }
const updates = [1, ...counts].map((count) => 20 * Math.floor(trainingImages / (32 * count)))
console.log(`| updates in 20 epochs of ${trainingImages} images | ${updates.join(' | ')} |`)
