import { conforms, referenceSubject } from '../src/conformance/index.ts'

conforms(referenceSubject)
