import { expose, transfer } from 'comlink'
import { zipSync } from 'fflate'
import { loadRuntime } from '../runtime.ts'
import {
  drawExamples,
  messagesFile,
  newShapes,
  pictureEdge,
  writeMessages,
} from './example-data.ts'
import type { Task } from './examples.ts'
import type { PathFile } from './files.ts'
import { downloadFiles, downloadFromHub } from './model-folder.ts'
import { type ExamplesSummary, FineTuning, type ModelSummary } from './session.ts'

/** The example models, below the page's address. */
const exampleModels = {
  image: { name: 'shapes', files: ['config.json', 'preprocessor_config.json', 'onnx/model.onnx'] },
  text: {
    name: 'messages',
    files: ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx'],
  },
} as const

/** Examples of each class of pictures, and of all classes of texts. */
const [picturesPerClass, messageCount] = [50, 240]

/** Fine-tuning in a worker, with models that are loaded by name, and with example data. */
class WorkerFineTuning extends FineTuning {
  /** @param page - the address of the page. */
  async setExampleModel(task: Task, page: string): Promise<ModelSummary> {
    const { name, files } = exampleModels[task]
    const address = new URL(`models/${name}/`, page).href
    return this.setModel(await downloadFiles(name, address, files))
  }

  async setHubModel(name: string, onProgress: (path: string) => void): Promise<ModelSummary> {
    return this.setModel(await downloadFromHub(name, onProgress))
  }

  async setExampleData(task: Task): Promise<ExamplesSummary> {
    if (task === 'image') return this.setExamples(await drawnFiles())
    const file = new Blob([messagesFile(writeMessages(messageCount, 1))])
    return this.setExamples([{ path: 'messages.csv', file }])
  }

  /** The exported folder as a zip archive. Weights are not compressed, since they hardly shrink. */
  async zip(folder: string): Promise<Uint8Array<ArrayBuffer>> {
    const files = await this.export()
    const entries = files.map(({ path, content }) => [`${folder}/${path}`, content] as const)
    const archive = zipSync(Object.fromEntries(entries), { level: 0 })
    return transfer(archive, [archive.buffer])
  }
}

/** The type of the worker, for `wrap` of comlink. */
export type FineTuningWorker = WorkerFineTuning

async function drawnFiles(): Promise<readonly PathFile[]> {
  const canvas = new OffscreenCanvas(pictureEdge, pictureEdge)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('examples: this browser draws no pictures in workers')
  const files: PathFile[] = []
  for (const [i, { label, pixels }] of drawExamples(newShapes, picturesPerClass, 7).entries()) {
    const image = context.createImageData(pictureEdge, pictureEdge)
    for (let p = 0; p < pictureEdge ** 2; p++)
      image.data.set([...pixels.subarray(3 * p, 3 * p + 3), 255], 4 * p)
    context.putImageData(image, 0, 0)
    files.push({ path: `${label}/${i}.png`, file: await canvas.convertToBlob() })
  }
  return files
}

expose(new WorkerFineTuning(loadRuntime))
