export { type Differentiated, differentiate } from './differentiate.ts'
export { Network, type Outputs } from './network.ts'
