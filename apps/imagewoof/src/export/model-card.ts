import { basename } from 'node:path'
import type { Config } from '../config/config.ts'
import { formatCount, formatPercent } from '../format.ts'
import type { Environment } from '../run/environment.ts'

/** What a model card says of the run behind a model. */
export interface TrainedRun {
  readonly config: Config
  readonly environment: Environment
  /** The evaluation on all validation images; undefined before the first epoch has ended. */
  readonly result:
    | { readonly epoch: number; readonly top1: number; readonly top5: number }
    | undefined
}

/** `top-1 accuracy 54.1 % ± 0.8 on 3,929 validation images`, with the standard error of sampling. */
export function describeResult({ result, environment }: TrainedRun): string {
  const count = environment.data.validation
  if (!result) return 'not evaluated yet'
  const error = Math.sqrt((result.top1 * (1 - result.top1)) / count)
  return `top-1 accuracy ${formatPercent(result.top1)} ± ${(100 * error).toFixed(1)} on ${formatCount(count)} validation images`
}

/** The network and what it was trained on, in a sentence. */
export function describeModel({ config, environment: { data } }: TrainedRun): string {
  const { architecture, backbone, size } = config
  const network = backbone === undefined ? architecture : `fine-tuned ${backbone}`
  return `${network} at ${size} px, trained on ${data.name}: ${data.classes.length} classes, ${formatCount(data.train)} images`
}

/** What a model sees of a picture, such as `the central square, 87.5 % of the shorter side`. */
export const describeCrop = ({ validationCrop }: Config): string =>
  validationCrop === 1
    ? 'the largest central square'
    : `the central square, ${formatPercent(validationCrop)} of the shorter side`

/** The title of a model: `Classifier of imagewoof2-160`. */
export const titleOf = ({ environment }: TrainedRun): string =>
  `Classifier of ${environment.data.name}`

/** The model card, README.md. */
export function modelCard(run: TrainedRun): string {
  const { config, environment, result } = run
  const { data } = environment
  const rows = [
    ['model', describeModel(run)],
    ['result', describeResult(run)],
    ...(result
      ? [
          ['top-5 accuracy', formatPercent(result.top5)],
          ['epoch', `${result.epoch} of ${config.epochs}`],
        ]
      : []),
    [
      'optimizer',
      `${basename(config.optimizer)}, learning rate ${config.learningRate}, batch size ${config.batch}`,
    ],
    ['seed', config.seed],
    ['trained', `${environment.began.slice(0, 10)}, ${environment.engine}`],
    ['SHA-256 of the data', `\`${data.hash}\``],
  ]
  return `---
library_name: transformers.js
pipeline_tag: image-classification
tags: [onnx, image-classification, imagewoof]
---

# ${escapeMarkdown(titleOf(run))}

| | |
|---|---|
${rows.map(([name, value]) => `| ${name} | ${escapeMarkdown(String(value))} |`).join('\n')}

The ± is the standard error of drawing so many images. A picture of anything else is assigned to one of
the classes, too.

## Use

**In a browser, without a network:** open \`index.html\`, and drop pictures on it. It holds all it needs,
so it can be copied alone.

**transformers.js**, in Node and in browsers, one picture a call:

\`\`\`js
import { pipeline } from '@huggingface/transformers'
const classify = await pipeline('image-classification', 'path/to/this/folder', { dtype: 'fp32' })
console.log(await classify('photo.jpg'))
\`\`\`

**Python**, or any other ONNX Runtime:

\`\`\`python
import json, numpy, onnxruntime
from PIL import Image, ImageOps
session = onnxruntime.InferenceSession('onnx/model.onnx')
classes = json.loads(session.get_modelmeta().custom_metadata_map['classes'])
photo = ImageOps.exif_transpose(Image.open('photo.jpg')).convert('RGBA')
pixels = numpy.asarray(photo, numpy.float32).transpose(2, 0, 1)[None]
print(classes[session.run(None, {'pixel_values': pixels})[0].argmax()])
\`\`\`

## Input

\`onnx/model.onnx\` takes pictures of any size: \`pixel_values\`, values from 0 to 255, 1 × channels ×
height × width, grey, grey and alpha, RGB, or RGBA. Preprocessing is part of the model, and so the same
everywhere: transparent pictures are put on white, ${describeCrop(config)},
is resized to ${config.size} px by a Lanczos filter, and normalized. Reduce pictures of more than 2,048 px
first, as transformers.js and \`index.html\` do. Class names, size and normalization are in the metadata of
the file.

## Classes

${data.classes.map((name, i) => `${i}. ${escapeMarkdown(name)}`).join('\n')}
`
}

/** Escapes what Markdown would read as markup in names that users chose. */
const escapeMarkdown = (text: string): string => text.replace(/[\\|<>[\]*_]/g, '\\$&')
