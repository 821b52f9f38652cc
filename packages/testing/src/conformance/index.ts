import { describe, test } from 'vitest'
import type { BackendUnderTest, Law } from './backend-under-test.ts'
import { frictionLaws } from './friction.ts'
import { goldenLaws } from './golden.ts'
import { optionLaws } from './options.ts'
import { ruleLaws } from './rules.ts'
import { stateLaws } from './state.ts'
import { stepLaws } from './steps.ts'
import { transformLaws } from './transforms.ts'

export type {
  BackendUnderTest,
  InitialParameter,
  Law,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
  UntypedOptions,
} from './backend-under-test.ts'
export { referenceBackend } from './reference.ts'

/** Every law: the conformance rules of this repository. */
export const laws: readonly Law[] = [
  ...goldenLaws,
  ...frictionLaws,
  ...ruleLaws,
  ...stepLaws,
  ...optionLaws,
  ...transformLaws,
  ...stateLaws,
]

/** Declares one test for each law. Every backend calls it. */
export function testConformance(backend: BackendUnderTest): void {
  describe(backend.name, () => {
    for (const law of laws) test(law.name, () => law.check(backend))
  })
}
