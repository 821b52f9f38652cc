import * as tf from '@tensorflow/tfjs'
import { useFirst } from './backend.ts'
import { drawLosses } from './chart.ts'
import { batchOf } from './data.ts'
import { Guesses } from './guesses.ts'
import { network } from './network.ts'

const [batch, steps] = [32, 1000]

const element = <T extends HTMLElement>(id: string, type: new () => T): T => {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`the page has no ${id}`)
}
const show = (id: string, text: string): void => {
  element(id, HTMLOutputElement).value = text
}

// `?backend=wasm` asks for one in particular.
const wanted = new URLSearchParams(location.search).get('backend')
show('backend', await useFirst(wanted ? [wanted] : ['webgpu', 'webgl', 'wasm']))

const model = network()
const guesses = new Guesses(element('pictures', HTMLUListElement))
const losses: number[] = []
for (let step = 0; step < steps; step++) {
  const begun = performance.now()
  const { images, labels } = batchOf(step * batch, batch)
  losses.push(Number(await model.trainOnBatch(images, labels)))
  tf.dispose([images, labels])
  const seconds = (performance.now() - begun) / 1000
  show('step', `${step + 1}`)
  show('loss', losses[step].toFixed(3))
  show('speed', (batch / seconds).toFixed(0))
  drawLosses(element('losses', HTMLCanvasElement), losses)
  if (step % 5 === 0) await guesses.update(model)
  await tf.nextFrame()
}
