export { type Arithmetic, numbers } from './arithmetic.ts'
export {
  type Binary,
  canonical,
  type Expression,
  type Graph,
  operands,
  trace,
  type Unary,
} from './expression.ts'
export type { Kernel, Values } from './kernel.ts'
