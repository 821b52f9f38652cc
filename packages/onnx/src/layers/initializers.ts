import { elementCount } from '../model/model.ts'
import type { Random } from '../random.ts'

/** How the elements of a parameter of some shape are drawn. */
export type Initializer = (shape: readonly number[], random: Random) => () => number

/** How many elements each output is computed from, and each input goes into. Outputs are on the first axis. */
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

/** Every element 0: as the scale of a branch's last normalization, it makes a residual block begin as its shortcut. */
export const zeros: Initializer = () => () => 0

/** Every element 1. */
export const ones: Initializer = () => () => 1
