export { Network, type Outputs } from './network.ts'
