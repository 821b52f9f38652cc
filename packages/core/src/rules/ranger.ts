import type { UpdateRule } from '../rule.ts'
import { type RAdamOptions, radam } from './radam.ts'

/**
 * Ranger: RAdam on centralized gradients, followed by Lookahead.
 *
 * @see github.com/lessw2020/Ranger-Deep-Learning-Optimizer.
 */
export const ranger: UpdateRule<RAdamOptions> = {
  ...radam,
  name: 'Ranger',
  defaults: { ...radam.defaults, beta1: 0.95, epsilon: 1e-5 },
  around: { centralize: true, lookahead: { every: 6, alpha: 0.5 } },
}
