import { defineRule } from '../rule.ts'
import { radam } from './radam.ts'

/**
 * Ranger: RAdam with centralized gradients and Lookahead.
 *
 * @see github.com/lessw2020/Ranger-Deep-Learning-Optimizer.
 */
export const ranger: typeof radam = defineRule({
  ...radam,
  name: 'Ranger',
  defaults: { ...radam.defaults, beta1: 0.95, epsilon: 1e-5 },
  transforms: { centralize: true, lookahead: { every: 6, alpha: 0.5 } },
})
