export { classics } from './classics.ts'
export { type Landscape, minimaOf } from './landscape.ts'
export { paper } from './paper.ts'
