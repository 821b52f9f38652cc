import { seeded } from '@diffgrad/onnx'
import { classes, shapes } from '@diffgrad/testing/shapes'

// Labelled examples that the page makes itself, so that a visitor can see a model learn without data.

/** Width and height of the pictures, in pixels. */
export const pictureEdge = 32

/** A drawn picture. */
interface DrawnPicture {
  readonly label: string
  /** RGB bytes · edge × edge × 3. */
  readonly pixels: Uint8Array
}

/** The shapes that the example model of pictures knows. */
export const knownShapes: readonly string[] = classes.slice(0, 6)

/** The shapes that it is to learn. */
export const newShapes: readonly string[] = classes.slice(6)

/** Draws so many pictures of each of some shapes. */
export function drawExamples(
  labels: readonly string[],
  perClass: number,
  seed: number,
): readonly DrawnPicture[] {
  const drawn = shapes({ count: perClass * classes.length, size: pictureEdge, seed })
  const bytes = pictureEdge * pictureEdge * 3
  return [...drawn.labels].flatMap((label, i) =>
    labels.includes(classes[label])
      ? [{ label: classes[label], pixels: drawn.pixels.subarray(i * bytes, (i + 1) * bytes) }]
      : [],
  )
}

/** A message to a shop. */
interface Message {
  readonly text: string
  /** A key of `products`: the classes that the example model of texts knows. */
  readonly topic: string
  /** A key of `sentences`: the classes that it is to learn. */
  readonly tone: string
}

const products = {
  kitchen: ['kettle', 'frying pan', 'toaster', 'teapot', 'knife', 'cutting board', 'mug'],
  garden: ['lawn mower', 'rake', 'watering can', 'flower pot', 'spade', 'hose', 'bench'],
  clothing: ['jacket', 'shirt', 'pair of socks', 'scarf', 'raincoat', 'hat', 'sweater'],
  electronics: ['laptop', 'headset', 'phone', 'charger', 'keyboard', 'camera', 'speaker'],
  books: ['novel', 'cookbook', 'atlas', 'dictionary', 'comic', 'biography', 'notebook'],
} as const

const praise = ['wonderful', 'perfect', 'excellent', 'lovely', 'great', 'beautiful', 'brilliant']
const faults = ['broken', 'dirty', 'damaged', 'too late', 'scratched', 'useless', 'torn']

type Sentence = (product: string, pick: (words: readonly string[]) => string) => string

const sentences: Readonly<Record<string, readonly Sentence[]>> = {
  praise: [
    (product, pick) => `The ${product} is ${pick(praise)}, thank you!`,
    (product, pick) => `I love my ${product}, it is ${pick(praise)}.`,
    (product, pick) => `What a ${pick(praise)} ${product}!`,
    (product, pick) => `My new ${product} works well, ${pick(praise)}.`,
  ],
  complaint: [
    (product, pick) => `The ${product} arrived ${pick(faults)}.`,
    (product, pick) => `My ${product} is ${pick(faults)}, I want my money back.`,
    (product, pick) => `I am disappointed, this ${product} is ${pick(faults)}.`,
    (product, pick) => `Sorry, but the ${product} was ${pick(faults)} again.`,
  ],
  question: [
    (product) => `When will the ${product} arrive?`,
    (product) => `Do you have this ${product} in blue?`,
    (product) => `How much is the ${product}?`,
    (product) => `Can I return the ${product} next week?`,
  ],
}

/** Writes so many messages of random topics and tones. */
export function writeMessages(count: number, seed: number): readonly Message[] {
  const random = seeded(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(list.length * random.uniform())]
  return Array.from({ length: count }, () => {
    const [topic, names] = pick(Object.entries(products))
    const [tone, forms] = pick(Object.entries(sentences))
    return { topic, tone, text: pick(forms)(pick<string>(names), pick) }
  })
}

/** Messages as a CSV file with the columns `text` and `label`, their tone. */
export const messagesFile = (messages: readonly Message[]): string =>
  ['text,label', ...messages.map(({ text, tone }) => `"${text}",${tone}`), ''].join('\n')
