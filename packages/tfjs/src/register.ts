import type { serialization } from '@tensorflow/tfjs-core'
import { Adam } from './optimizers/adam.ts'
import { AdaMod } from './optimizers/adamod.ts'
import { AdamW } from './optimizers/adamw.ts'
import { DiffGrad } from './optimizers/diffgrad.ts'
import { DiffMod } from './optimizers/diffmod.ts'
import { DiffRGrad } from './optimizers/diffrgrad.ts'
import { RAdam } from './optimizers/radam.ts'
import { Ranger } from './optimizers/ranger.ts'
import { SGD } from './optimizers/sgd.ts'

/**
 * Makes all optimizers known to a copy of TensorFlow.js, so that it can load models saved with them.
 * A class that is used is known without it, to the copy of `@tensorflow/tfjs-core` that this package
 * finds. But one that is only imported is left out by compilers and bundlers, and an application may have
 * another copy, from a script tag, for instance.
 *
 * @param tf - that copy.
 */
export function register(tf: {
  readonly serialization: Pick<typeof serialization, 'registerClass'>
}): void {
  for (const optimizer of [SGD, Adam, AdamW, RAdam, AdaMod, Ranger, DiffGrad, DiffRGrad, DiffMod]) {
    tf.serialization.registerClass(optimizer)
  }
}
