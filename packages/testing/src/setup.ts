import fc from 'fast-check'
import { testSeed } from './seed.ts'

// Property tests draw the same cases on every push; SEED draws others.
fc.configureGlobal({ seed: testSeed(1) })
