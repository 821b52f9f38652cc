import { allRules, classNameOf } from '@diffgrad/core'

/** An entry of the navigation. */
interface Entry {
  readonly text: string
  readonly link: string
  /** `_self` for parts of the site that other programs build. */
  readonly target?: string
}

export const guides: readonly Entry[] = [
  { text: 'Schedules', link: '/guides/schedules' },
  { text: 'Groups, decay and clipping', link: '/guides/groups-and-clipping' },
  { text: 'Saving and resuming', link: '/guides/saving' },
  { text: 'Averaged weights', link: '/guides/averaged-weights' },
  { text: 'Fine-tuning in a page', link: '/guides/fine-tuning' },
  { text: 'Threads, workers and pages', link: '/guides/pages' },
  { text: 'Several backends in one program', link: '/guides/mixed-backends' },
]

export const packagePages: readonly Entry[] = [
  { text: 'Typed arrays', link: '/packages/arrays' },
  { text: 'TensorFlow.js', link: '/packages/tfjs' },
  { text: 'TensorFlow.js on wasm', link: '/packages/tfjs-wasm-gradients' },
  { text: 'ONNX models', link: '/packages/onnx' },
  { text: 'ONNX Runtime', link: '/packages/onnxruntime' },
  { text: 'Several machines', link: '/packages/mpi' },
  { text: 'For adapters: core', link: '/packages/core' },
  { text: 'For adapters: kernels', link: '/packages/kernels' },
  { text: 'The image classifier', link: '/packages/imagewoof' },
  { text: 'Examples', link: '/packages/examples' },
]

export const optimizerPages: readonly Entry[] = allRules.map((rule) => ({
  text: classNameOf(rule),
  link: `/optimizers/${rule.name.toLowerCase()}`,
}))

export const reference: readonly Entry[] = [
  { text: 'The rules', link: '/rule' },
  { text: 'Coming from another library', link: '/coming-from' },
  { text: 'API', link: '/api/', target: '_self' },
  { text: 'Evidence', link: '/evidence' },
  { text: 'Graphics cards', link: '/graphics-cards' },
  { text: 'Many processes and machines', link: '/scale' },
  { text: 'Data of the classifier', link: '/data' },
  { text: 'Compatibility', link: '/compatibility' },
  { text: 'How models and data pass through', link: '/ways' },
]
