import sharp from 'sharp'
import { type Config, optionName } from '../config/config.ts'
import { schema } from '../config/schema.ts'
import { type Batch, imageNetStatistics } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import { formatCount, formatPercent } from '../format.ts'
import { Html, html, page, valueTable } from './page.ts'

/** The images that a batch report shows. */
export interface ShownBatches {
  /** Counted from 1. */
  readonly epoch: number
  /** The first training batch of the epoch. */
  readonly training: Batch
  readonly validation: Batch
  /** The file of each validation image. */
  readonly files: readonly string[]
}

/** At most so many images of each split are shown. */
export const maxShown = 64

/** Renders a page of what the network sees: a training batch after augmentation, and validation images. */
export async function batchReport(
  config: Config,
  { name, classes, train, validation }: Dataset,
  shown: ShownBatches,
): Promise<string> {
  const { size, batch } = config
  const title = `What the network sees of ${name}`
  const trained = await figuresOf(shown.training, size, (i) => ({
    lines: targetLines(shown.training, i, classes),
  }))
  const validated = await figuresOf(shown.validation, size, (i) => ({
    lines: [classes[shown.validation.labels[i]]],
    file: shown.files[i],
  }))
  const count = trained.length < batch ? `, ${trained.length} of ${formatCount(batch)} images` : ''
  return page(title, [
    new Html(`<style>${style}</style>`),
    html`<h1>${title}</h1>
<p class="muted">${size} × ${size} px; ${formatCount(train.labels.length)} training and ${formatCount(validation.labels.length)} validation images of ${classes.length} classes. The images are drawn from the values that the network receives, with only the normalization undone.</p>
<h2>Training</h2>
<p>The first batch of epoch ${shown.epoch} with its targets${count}.</p>
<div class="batch">${trained}</div>
<h2>Validation</h2>
<p>${validated.length} of ${formatCount(validation.labels.length)} images, from all classes in turn.</p>
<div class="batch">${validated}</div>
<h2>Input</h2>
${valueTable([...statisticsOf(shown.training, size), ...imageSettings(config)])}
<details><summary>Configuration</summary>${valueTable(Object.entries(config))}</details>`,
  ])
}

interface Caption {
  readonly lines: readonly string[]
  readonly file?: string
}

const figuresOf = (
  { images, labels }: Batch,
  size: number,
  captionOf: (i: number) => Caption,
): Promise<readonly Html[]> =>
  Promise.all(
    labels.slice(0, maxShown).map(async (_, i) => {
      const { lines, file } = captionOf(i)
      const label = lines.join(', ')
      const length = 3 * size * size
      const png = await pngOf(images.subarray(i * length, (i + 1) * length), size)
      return html`<figure><img src="${png}" alt="${label}" title="${file ?? label}" width="${size}" height="${size}"><figcaption>${lines.map((line) => html`<div>${line}</div>`)}</figcaption></figure>`
    }),
  )

/** A normalized image as a data: URL of a PNG, which keeps every pixel · 3 × size × size. */
async function pngOf(image: Float32Array, size: number): Promise<string> {
  const { mean, deviation } = imageNetStatistics
  const plane = size * size
  const pixels = Uint8ClampedArray.from({ length: 3 * plane }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3]
    return 255 * (image[channel * plane + pixel] * deviation[channel] + mean[channel])
  })
  const raw = { width: size, height: size, channels: 3 } as const
  const png = await sharp(pixels, { raw }).png().toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}

/** The classes of a target without label smoothing, with their shares if there are several. */
function targetLines(
  { targets, labels }: Batch,
  i: number,
  classes: readonly string[],
): readonly string[] {
  const row = targets.subarray(i * classes.length, (i + 1) * classes.length)
  const smoothed = row.reduce((a, b) => Math.min(a, b))
  const total = row.reduce((sum, target) => sum + target - smoothed, 0)
  const shares = Array.from(row, (target, label) => ({
    label,
    share: (target - smoothed) / total,
  }))
    .filter(({ share }) => share >= 0.005)
    .toSorted((a, b) => b.share - a.share)
  if (shares.length <= 1) return [classes[labels[i]]]
  return shares.map(
    ({ label, share }) => `${classes[label]} ${formatPercent(share, 0).replace(' ', '\u00a0')}`,
  )
}

/** The settings that change images and targets. */
const imageSettings = (config: Config): readonly (readonly [string, unknown])[] =>
  Object.entries(schema.shape).flatMap(([key, field]) => {
    const value = config[key as keyof Config] // The keys of the schema are those of `Config`.
    if (field.meta()?.group !== 'Images:' || value === undefined) return []
    return [[optionName(key), value] as const]
  })

/** Shape, means and deviations of a training batch as the network receives it, by channel. */
function statisticsOf(
  { images, labels }: Batch,
  size: number,
): readonly (readonly [string, string])[] {
  const plane = size * size
  const channels = [0, 1, 2].map((channel) => {
    let [sum, squares] = [0, 0]
    for (const [i, value] of images.entries())
      if (Math.floor(i / plane) % 3 === channel) {
        sum += value
        squares += value ** 2
      }
    const mean = sum / (labels.length * plane)
    return { mean, deviation: Math.sqrt(squares / (labels.length * plane) - mean ** 2) }
  })
  return [
    ['shape', `${labels.length} × 3 × ${size} × ${size}`],
    ['means of red, green, blue', channels.map(({ mean }) => mean.toFixed(3)).join(', ')],
    ['deviations', channels.map(({ deviation }) => deviation.toFixed(3)).join(', ')],
  ]
}

const style = `
.batch { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); }
.batch figure { padding: 0.5rem; }
.batch img { display: block; width: 100%; height: auto; border-radius: 4px; image-rendering: pixelated; }
.batch figcaption { margin-top: 0.35rem; font-size: 0.8rem; line-height: 1.3; overflow-wrap: anywhere; }
`
