import { referenceBackend, testConformance } from '../src/conformance/index.ts'

testConformance(referenceBackend)
