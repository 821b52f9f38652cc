// Written by scripts/generate.ts.
export { generatedAdam } from './adam.ts'
export { generatedAdaMod } from './adamod.ts'
export { generatedDiffGrad } from './diffgrad.ts'
export { generatedDiffMod } from './diffmod.ts'
export { generatedDiffRGrad } from './diffrgrad.ts'
export { generatedRAdam } from './radam.ts'
export { generatedSGD } from './sgd.ts'
export { generatedTransforms } from './transforms.ts'
