import { add } from '../ops/operations.ts'
import { inside, type Layer } from './layer.ts'

/** y = branch(x) + shortcut(x); by default the shortcut changes nothing. */
export const residual =
  (branch: Layer, shortcut: Layer = (x) => x): Layer =>
  (x, scope) =>
    add(branch(x, inside(scope, 'branch')), shortcut(x, inside(scope, 'shortcut')))
