export { classics } from './classics.ts'
export type { Landscape } from './landscape.ts'
export { paper } from './paper.ts'
