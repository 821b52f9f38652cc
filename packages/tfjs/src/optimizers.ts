import { registerWith, type TensorFlow } from './copies.ts'
import * as classes from './generated/optimizers.ts'

export * from './generated/optimizers.ts'

/**
 * Registers all optimizers with a copy of TensorFlow.js, so that it can load models saved with them.
 *
 * A class that a script uses is registered already, with the copy of `@tensorflow/tfjs-core` that this
 * package imports. But compilers and bundlers drop a class that is imported and not used, and an
 * application may have another copy, from a script tag, for instance.
 *
 * @param tf - the copy of TensorFlow.js.
 */
export function register(tf: TensorFlow): void {
  registerWith(tf, Object.values(classes))
}
