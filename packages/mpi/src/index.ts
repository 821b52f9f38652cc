export { communicator } from './communicator.ts'
export type { Ranks } from './ranks.ts'
export { type SharedRanks, shareRanks, threadRank } from './threads.ts'
