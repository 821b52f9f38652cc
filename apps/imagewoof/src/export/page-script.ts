import * as ort from 'onnxruntime-web/wasm'
import { limitedSize } from '../data/loader/resample.ts'

// The script of an exported index.html. The page holds the model, the classes, and ONNX Runtime's
// WebAssembly module, so that it works from a file and without a network.

/** Classes shown for each picture. */
const shown = 5

function elementOf<T extends Element>(selector: string, type: new () => T): T {
  const element = document.querySelector(selector)
  if (element instanceof type) return element
  throw new Error(`the page has no ${selector}`)
}

const [form, input] = [elementOf('form', HTMLFormElement), elementOf('input', HTMLInputElement)]
const [results, status] = [elementOf('#results', HTMLElement), elementOf('#status', HTMLElement)]
const classes: readonly string[] = JSON.parse(dataOf('classes'))

/** The text of a script element with data. */
function dataOf(id: string): string {
  return elementOf(`#${id}`, HTMLScriptElement).text
}

/** Bytes that the page holds compressed by gzip and encoded in base64. */
async function bytesOf(id: string): Promise<ArrayBuffer> {
  const { body } = await fetch(`data:application/octet-stream;base64,${dataOf(id)}`)
  if (!body) throw new Error(`the page has no ${id}`)
  return new Response(body.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()
}

async function openModel(): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1 // More threads need a server that isolates the page.
  ort.env.wasm.wasmBinary = await bytesOf('runtime')
  return ort.InferenceSession.create(await bytesOf('model'), { executionProviders: ['wasm'] })
}

/** Values from 0 to 255 · 1 × 3 × height × width, on white where the picture is transparent. */
function pixelsOf(picture: ImageBitmap): ort.Tensor {
  const [width, height] = limitedSize(picture.width, picture.height)
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('this browser has no canvas')
  context.fillStyle = 'white'
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, width, height)
  const { data } = context.getImageData(0, 0, width, height)
  const plane = width * height
  const values = new Float32Array(3 * plane)
  for (let i = 0; i < plane; i++)
    for (let channel = 0; channel < 3; channel++)
      values[channel * plane + i] = data[4 * i + channel]
  return new ort.Tensor('float32', values, [1, 3, height, width])
}

interface ClassProbability {
  readonly label: string
  readonly probability: number
}

/** All classes by descending probability. */
async function classify(
  model: ort.InferenceSession,
  picture: ImageBitmap,
): Promise<readonly ClassProbability[]> {
  const { [model.outputNames[0]]: output } = await model.run({
    [model.inputNames[0]]: pixelsOf(picture),
  })
  const logits = Array.from(output.data, Number)
  const max = Math.max(...logits)
  const exponentials = logits.map((logit) => Math.exp(logit - max))
  const sum = exponentials.reduce((a, b) => a + b)
  return classes
    .map((label, i) => ({ label, probability: exponentials[i] / sum }))
    .sort((a, b) => b.probability - a.probability)
}

/** Creates an element. Text is never read as markup. */
function create(
  name: string,
  className: string,
  ...content: readonly (Node | string)[]
): HTMLElement {
  const element = document.createElement(name)
  if (className) element.className = className
  element.append(...content)
  return element
}

function classRow({ label, probability }: ClassProbability): HTMLElement {
  const bar = create('span', 'bar', create('i', ''))
  bar.setAttribute('aria-hidden', 'true')
  bar.style.setProperty('--share', String(probability))
  const share = create('span', 'share', `${(100 * probability).toFixed(1)} %`)
  return create('li', '', create('span', 'label', label), share, bar)
}

/** Why a file cannot be read, and what to do. */
function adviceFor({ name, size, type }: File): string {
  if (size === 0) return 'This file is empty.'
  if (/\.hei[cf]$/i.test(name) || /hei[cf]/.test(type))
    return 'This browser cannot read HEIC photographs. Save it as JPEG first.'
  if (/\.(dng|cr[23]|nef|arw|raf|orf|rw2)$/i.test(name))
    return 'This is a raw photograph. Save it as JPEG first.'
  return 'This browser cannot read it as a picture: it is damaged, or of another kind, such as text.'
}

/** Classifies a file, and fills its card with the result or an error message. */
async function show(file: File, card: HTMLElement): Promise<boolean> {
  const title = create('h3', '', file.name)
  const picture = await createImageBitmap(file).catch(() => undefined)
  card.removeAttribute('aria-busy')
  if (!picture) {
    card.replaceChildren(title, create('p', 'problem', adviceFor(file)))
    return false
  }
  try {
    const ranking = await classify(await model, picture)
    const image = document.createElement('img')
    image.alt = ''
    image.src = URL.createObjectURL(file)
    const list = create('ol', '', ...ranking.slice(0, shown).map(classRow))
    card.replaceChildren(image, create('div', '', title, list))
    return true
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    card.replaceChildren(title, create('p', 'problem', `It cannot be classified: ${reason}`))
    return false
  } finally {
    picture.close()
  }
}

/** Pictures are classified one after the other, in the order in which they came. */
let queue: Promise<void> = Promise.resolve()

function add(files: readonly File[]): void {
  if (files.length === 0) return
  const cards = files.map((file) => {
    const card = create(
      'article',
      'card result',
      create('h3', '', file.name),
      create('p', 'muted', '…'),
    )
    card.setAttribute('aria-busy', 'true')
    return card
  })
  results.prepend(...cards)
  queue = queue.then(async () => {
    let classified = 0
    for (const [i, file] of files.entries()) {
      status.textContent = `Classifying ${i + 1} of ${files.length} …`
      if (await show(file, cards[i])) classified++
    }
    const failed = files.length - classified
    status.textContent = `${classified} of ${files.length} classified${failed > 0 ? `, ${failed} cannot be read` : ''}.`
  })
}

const model = openModel()
model.then(
  () => {
    status.textContent = 'Ready.'
  },
  (error) => {
    status.textContent = `The model cannot be loaded: ${error instanceof Error ? error.message : error}`
  },
)

input.addEventListener('change', () => {
  add([...(input.files ?? [])])
  input.value = '' // The same file can be chosen again.
})
form.addEventListener('submit', (event) => event.preventDefault())
for (const type of ['dragenter', 'dragover'])
  document.addEventListener(type, (event) => {
    event.preventDefault()
    document.body.classList.add('over')
  })
for (const type of ['dragleave', 'drop', 'dragend'])
  document.addEventListener(type, () => document.body.classList.remove('over'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  add([...(event.dataTransfer?.files ?? [])])
})
document.addEventListener('paste', (event) => add([...(event.clipboardData?.files ?? [])]))
