import { field } from './field.ts'
import type { Racer } from './racer.ts'

/** What the library has against the options of a racer, if it has. */
export function complaint({ name, options }: Racer): string | undefined {
  try {
    const optimizer = field[name].create(new Float64Array(1), options)
    optimizer.hyperparameters('theta')
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}
