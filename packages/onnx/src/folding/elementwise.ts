import { places } from '../shapes/places.ts'
import { at, type Folding } from './folding.ts'

const of =
  (compute: (...operands: number[]) => number): Folding =>
  (inputs, shape) =>
    places(shape).map((place) => compute(...inputs.map((input) => Number(at(input, place)))))

/** Division of integers drops the fraction. */
const divide: Folding = (inputs, shape, operation) => {
  const whole = operation.input(0).type !== 'float32'
  return of((a, b) => (whole ? (b === 0 ? 0 : Math.trunc(a / b)) : a / b))(inputs, shape, operation)
}

const where: Folding = ([condition, a, b], shape) =>
  places(shape).map((place) => {
    const chosen = condition && Number(at(condition, place)) ? a : b
    return chosen ? at(chosen, place) : 0
  })

const castTo: Folding = (inputs, shape, operation) => {
  const whole = operation.input(0).type === 'float32'
  const to = operation.int('to', 1)
  const [float, bool] = [1, 9]
  return of((a) => (to === bool ? Number(a !== 0) : whole && to !== float ? Math.trunc(a) : a))(
    inputs,
    shape,
    operation,
  )
}

/** Arithmetic on every element, as exporters write it to compute shapes. */
export const elementwise: Readonly<Record<string, Folding>> = {
  Add: of((a, b) => a + b),
  And: of((a, b) => Number(a && b)),
  Cast: castTo,
  Ceil: of(Math.ceil),
  Div: divide,
  Equal: of((a, b) => Number(a === b)),
  Floor: of(Math.floor),
  Greater: of((a, b) => Number(a > b)),
  Less: of((a, b) => Number(a < b)),
  Max: of(Math.max),
  Min: of(Math.min),
  Mul: of((a, b) => a * b),
  Neg: of((a) => -a),
  Not: of((a) => Number(!a)),
  Or: of((a, b) => Number(a || b)),
  Sqrt: of(Math.sqrt),
  Sub: of((a, b) => a - b),
  Where: where,
}
