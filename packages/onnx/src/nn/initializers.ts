import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { elementCount } from '../model/model.ts'

/** A random number generator, reproducible by its seed on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number
  /** Standard normal, by the Box–Muller transform. */
  normal(): number
}

/** Returns an xoroshiro128+ generator. */
export function seeded(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  const uniform = (): number => uniformFloat64(generator)
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}

/** Returns a function that draws the initial elements of a parameter, one per call. */
export type Initializer = (shape: readonly number[], random: Random) => () => number

/** The number of inputs per output and of outputs per input. Outputs are on the first axis. */
function fans(shape: readonly number[]): readonly [fanIn: number, fanOut: number] {
  const [outputs = 1, inputs = 1, ...kernel] = shape
  return [inputs * elementCount(kernel), outputs * elementCount(kernel)]
}

const normal =
  (deviation: (fanIn: number, fanOut: number) => number): Initializer =>
  (shape, random) => {
    const scale = deviation(...fans(shape))
    return () => scale * random.normal()
  }

const uniform =
  (bound: (fanIn: number, fanOut: number) => number): Initializer =>
  (shape, random) => {
    const scale = bound(...fans(shape))
    return () => scale * (2 * random.uniform() - 1)
  }

/** Normal, variance 2 / fan-in: keeps the variance through ReLU (He et al., 2015). */
export const kaimingNormal: Initializer = normal((fanIn) => Math.sqrt(2 / fanIn))

/** Uniform, variance 2 / fan-in (He et al., 2015). */
export const kaimingUniform: Initializer = uniform((fanIn) => Math.sqrt(6 / fanIn))

/** Normal, variance 2 / (fan-in + fan-out): keeps the variance both ways (Glorot and Bengio, 2010). */
export const xavierNormal: Initializer = normal((fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)))

/** Uniform, variance 2 / (fan-in + fan-out) (Glorot and Bengio, 2010). */
export const xavierUniform: Initializer = uniform((fanIn, fanOut) =>
  Math.sqrt(6 / (fanIn + fanOut)),
)

/** Uniform in ±1 / √fan-in: PyTorch's default for convolutions and linear layers. */
export const fanInUniform: Initializer = uniform((fanIn) => 1 / Math.sqrt(fanIn))

/** A vector of length 1 in a random direction. */
export const unitVector: Initializer = (shape, random) => {
  const values = Array.from({ length: elementCount(shape) }, () => random.normal())
  const length = Math.hypot(...values)
  return () => Number(values.pop()) / length
}

/** 0. As the scale of a branch's last normalization, it makes a residual block start as its shortcut. */
export const zeros: Initializer = () => () => 0

/** 1. */
export const ones: Initializer = () => () => 1
