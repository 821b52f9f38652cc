import { allocate, DiffGrad } from '@diffgrad/arrays'

// Prints how long the first kernel of a process takes, from the optimizer's construction to the end
// of its first step, in milliseconds.
const { parameters, gradients } = allocate({ w: [8] })
const start = performance.now()
new DiffGrad(parameters).step(gradients)
console.log(performance.now() - start)
