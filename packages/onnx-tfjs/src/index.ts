export { prepareWebGpu, selectBackend } from './backend.ts'
export { Network, type NetworkGradients, type NetworkOutputs } from './network.ts'
export {
  type ClassifierBatch,
  type ClassifierStep,
  ClassifierTrainer,
  type ClassifierTrainerOptions,
  NonFiniteStepError,
  type Weights,
} from './trainer.ts'
