import { allocate, DiffGrad } from '@diffgrad/arrays'

// Child process: prints the milliseconds from the construction of the first optimizer of a process to
// the end of its first step.
const { parameters, gradients } = allocate({ w: [8] })
const start = performance.now()
new DiffGrad(parameters).step(gradients)
console.log(performance.now() - start)
