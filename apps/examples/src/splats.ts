import { Adam } from '@diffgrad/arrays'
import { seeded } from '@diffgrad/onnx'

// Fits Gaussian splats to a picture. Splats that matter are split while the optimizer keeps its state:
// `replace` maps the moments of each old splat to those of the new ones.

const size = 24
const random = seeded(1)

/** The picture: a ring. */
const target = Float64Array.from({ length: size * size }, (_, i) => {
  const [x, y] = [(i % size) / size - 0.5, Math.floor(i / size) / size - 0.5]
  return Math.exp(-(((Math.hypot(x, y) - 0.3) / 0.06) ** 2))
})

/** For each splat: x, y, the logarithm of its radius, and its brightness. */
const width = 4
const newSplat = (): readonly number[] => [
  random.uniform() - 0.5,
  random.uniform() - 0.5,
  Math.log(0.15),
  0.2,
]
let splats = 8
let values: Float64Array = Float64Array.from(Array.from({ length: splats }, newSplat).flat())
const optimizer = new Adam({ splats: values }, { learningRate: 0.02 })

/** The mean squared error of the picture, and its gradient. */
function lossAndGradient(): { readonly loss: number; readonly gradient: Float64Array } {
  const gradient = new Float64Array(values.length)
  let loss = 0
  for (const [i, wanted] of target.entries()) {
    const [px, py] = [(i % size) / size - 0.5, Math.floor(i / size) / size - 0.5]
    const shapes = Array.from({ length: splats }, (_, k) => {
      const [x, y, logRadius] = values.subarray(width * k)
      const squared = ((px - x) ** 2 + (py - y) ** 2) * Math.exp(-2 * logRadius)
      return { dx: px - x, dy: py - y, squared, height: Math.exp(-squared) }
    })
    const drawn = shapes.reduce((sum, { height }, k) => sum + values[width * k + 3] * height, 0)
    loss += (drawn - wanted) ** 2 / target.length
    for (const [k, { dx, dy, squared, height }] of shapes.entries()) {
      const [, , logRadius, brightness] = values.subarray(width * k)
      const dHeight = (2 * (drawn - wanted) * brightness * height) / target.length
      const inverse = 2 * Math.exp(-2 * logRadius)
      gradient[width * k] += dHeight * dx * inverse
      gradient[width * k + 1] += dHeight * dy * inverse
      gradient[width * k + 2] += dHeight * 2 * squared
      gradient[width * k + 3] += (2 * (drawn - wanted) * height) / target.length
    }
  }
  return { loss, gradient }
}

/** Splits the brighter half of the splats in two of half the brightness, a little apart. */
function split(): void {
  const order = [...Array(splats).keys()].sort(
    (a, b) => values[width * b + 3] - values[width * a + 3],
  )
  const parents = [...Array(splats).keys(), ...order.slice(0, splats / 2)]
  const grow = (old: Float64Array): Float64Array =>
    Float64Array.from(parents.flatMap((k) => [...old.subarray(width * k, width * (k + 1))]))
  const grown = grow(values)
  for (const [i, k] of parents.entries()) {
    if (!order.slice(0, splats / 2).includes(k)) continue
    grown[width * i] += 0.05 * random.normal()
    grown[width * i + 1] += 0.05 * random.normal()
    grown[width * i + 3] /= 2
  }
  optimizer.replace({ name: 'splats', value: grown }, (state) => grow(Float64Array.from(state)))
  values = grown
  splats = parents.length
}

for (let t = 0; t < 240; t++) {
  const { loss, gradient } = lossAndGradient()
  if (t % 80 === 0) console.log(`step ${t}: ${splats} splats, loss ${loss.toFixed(4)}`)
  optimizer.step({ splats: gradient })
  if (t === 79 || t === 159) split()
}
console.log(`loss ${lossAndGradient().loss.toFixed(4)}`)
