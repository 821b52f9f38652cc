import {
  backend,
  getBackend,
  KernelBackend,
  type serialization,
  Variable,
  version_core,
} from '@tensorflow/tfjs-core'

// All copies of @tensorflow/tfjs-core in a program share one engine, with its backends and variables. Each
// has its own registry of classes, in which a saved model finds its optimizer.

/** The members of a copy of TensorFlow.js that `register` uses. */
export interface TensorFlow {
  readonly serialization: Pick<typeof serialization, 'registerClass'>
}

/** Whether a warning was given, or the user has registered the classes with another copy. */
let isAware = false

/** Registers classes with a copy of TensorFlow.js. */
export function registerWith(
  tf: TensorFlow,
  classes: readonly Parameters<typeof serialization.registerClass>[0][],
): void {
  for (const cls of classes) tf.serialization.registerClass(cls)
  isAware = true
}

/**
 * Warns, once, if the backend or a variable is of another copy of @tensorflow/tfjs-core than this package
 * imports, unless `register` was called.
 */
export function warnOfOtherCopy(variable: Variable): void {
  if (isAware) return
  const isForeign = !(backend() instanceof KernelBackend)
  // Not instanceof, which TensorFlow.js has replaced by a comparison of members.
  if (!isForeign && variable.constructor === Variable) return
  isAware = true
  const owner = isForeign ? `the backend ${getBackend()} is` : 'variables are'
  console.warn(
    `@diffgrad/tfjs imports @tensorflow/tfjs-core ${version_core}, but ${owner} of another copy${otherVersion()}. ` +
      `A model that is saved with this optimizer will not load there ("Unknown layer"). ` +
      'Install one copy (npm ls @tensorflow/tfjs-core shows all; npm dedupe, or resolve.dedupe of the bundler), ' +
      'or call register(tf) of @diffgrad/tfjs with the copy that loads models.',
  )
}

/** The version of a copy that a script tag loaded; any other copy does not tell its version. */
function otherVersion(): string {
  const version: unknown = Object(Reflect.get(globalThis, 'tf')).version_core
  return typeof version === 'string' ? `, version ${version}` : ''
}
