import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** After so many steps the noise repeats. */
const period = 4096

/** Independent normal numbers for each step, of mean 0 and the given deviation. */
export function gaussianNoise(axes: number, deviation: number): (t: number) => readonly number[] {
  const generator = xoroshiro128plus(1909)
  const normal = (): number => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)))
    return deviation * radius * Math.cos(2 * Math.PI * uniformFloat64(generator))
  }
  const steps = Array.from({ length: period }, () => Array.from({ length: axes }, normal))
  return (t) => steps[t % period]
}
