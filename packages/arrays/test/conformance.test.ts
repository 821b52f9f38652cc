import { conforms } from '@diffgrad/conformance'
import { ArraysOptimizer } from '../src/index.ts'
import { shipped, subject } from './subject.ts'

conforms(subject('WebAssembly', shipped))
conforms(
  subject('generated JavaScript', (rule, parameters, options) =>
    shipped(rule, parameters, { ...options, kernel: 'javascript' }),
  ),
)
conforms(
  subject(
    'block interpreter',
    (rule, parameters, options) =>
      new ArraysOptimizer(rule, parameters, { ...options, kernel: 'interpreter' }),
  ),
)
