import type { Config } from '../config/config.ts'
import { withWholePaths } from '../training/whole-paths.ts'
import type { Contender } from './contender.ts'

/** Who is compared, from which seeds. */
export interface Plan {
  readonly contenders: readonly Contender[]
  readonly seeds: readonly number[]
  /** Whether finished runs keep their checkpoints, which are large. */
  readonly keep: boolean
}

/** A plan with other settings for all, and folders that are found from anywhere. */
export const planWith = (plan: Plan, settings: Partial<Config> = {}): Plan => ({
  ...plan,
  contenders: plan.contenders.map(({ name, config }) => ({
    name,
    config: withWholePaths({ ...config, ...settings }),
  })),
})
