import type { Config } from '../config/config.ts'
import type { Engine, Recipe } from './engine.ts'
import { onnxruntimeEngine } from './onnxruntime.ts'
import { tfjsEngine } from './tfjs/engine.ts'

/** Engines by the names that the command line has for them. */
export const engines: Readonly<Record<Config['engine'], (recipe: Recipe) => Promise<Engine>>> = {
  onnxruntime: onnxruntimeEngine,
  tfjs: tfjsEngine,
}
