import { conforms } from '@diffgrad/conformance'
import { ArraysOptimizer } from '../src/index.ts'
import { shipped, subject } from './subject.ts'

conforms(subject('generated JavaScript', shipped))
conforms(
  subject(
    'block interpreter',
    (rule, parameters, options) => new ArraysOptimizer(rule, parameters, options),
  ),
)
