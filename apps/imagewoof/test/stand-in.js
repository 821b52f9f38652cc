import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

const random = (seed) => {
  const generator = xoroshiro128plus(seed)
  return () => uniformFloat64(generator)
}
export function tinyDataset(size = 16, perClass = 24) {
  const classes = ['rows', 'columns', 'blank']
  const split = (seed, count) => {
    const draw = random(seed)
    const pixels = new Uint8Array(new SharedArrayBuffer(count * size * size * 3))
    const labels = new Uint16Array(new SharedArrayBuffer(count * 2))
    for (let n = 0; n < count; n++) {
      labels[n] = n % classes.length
      const line = Math.floor(size * draw())
      for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++)
          for (let c = 0; c < 3; c++) {
            const on = labels[n] === 0 ? y === line : labels[n] === 1 ? x === line : false
            pixels[((n * size + y) * size + x) * 3 + c] = (on ? 180 : 60) + 60 * draw()
          }
    }
    const files = Array.from({ length: count }, (_, i) => `${classes[i % 3]}/${i}.png`)
    return { pixels, labels, files }
  }
  return {
    name: 'lines',
    hash: 'abc',
    size,
    classes,
    train: split(1, 3 * perClass),
    validation: split(2, 30),
  }
}
export function tinyLoader({ train, validation, size, classes }, batch, seed) {
  const make = ({ pixels, labels }, places) => {
    const images = new Float32Array(places.length * 3 * size * size)
    const targets = new Float32Array(places.length * classes.length).fill(0.1 / classes.length)
    places.forEach((place, n) => {
      targets[n * classes.length + labels[place]] += 0.9
      for (let c = 0; c < 3; c++)
        for (let i = 0; i < size * size; i++)
          images[(n * 3 + c) * size * size + i] =
            pixels[(place * size * size + i) * 3 + c] / 128 - 1
    })
    return { images, targets, labels: places.map((place) => labels[place]) }
  }
  const batchesPerEpoch = Math.floor(train.labels.length / batch)
  return {
    batchesPerEpoch,
    async *train(epoch, first = 0) {
      const draw = random(seed * 1000 + epoch)
      const order = [...train.labels.keys()].map((i) => [draw(), i]).toSorted(([a], [b]) => a - b)
      for (let b = first; b < batchesPerEpoch; b++)
        yield make(
          train,
          order.slice(b * batch, (b + 1) * batch).map(([, i]) => i),
        )
    },
    async *validation() {
      for (let b = 0; b * batch < validation.labels.length; b++)
        yield make(validation, [...validation.labels.keys()].slice(b * batch, (b + 1) * batch))
    },
    dispose: async () => {},
  }
}
//# sourceMappingURL=stand-in.js.map
