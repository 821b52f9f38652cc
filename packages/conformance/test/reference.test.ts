import { conforms, referenceSubject } from '../src/index.ts'

conforms(referenceSubject)
