export { conforms, laws } from './conforms.ts'
export {
  type GoldenResult,
  runFunctions,
  runTrajectories,
  tolerance,
} from './golden/golden.ts'
export { referenceSubject } from './reference.ts'
export type {
  Law,
  LooseOptions,
  NumericGradients,
  Session,
  Setup,
  Start,
  Subject,
} from './subject.ts'
