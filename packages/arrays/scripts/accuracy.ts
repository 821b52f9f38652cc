import { compiles } from '../src/wasm/compile.ts'
import { drifts } from './drifts.ts'
import { accuracyOf, subjects } from './ulps.ts'

// Prints the accuracy of the kernels' functions over every float32: `pnpm accuracy`. Takes a minute.
const stride = Number(process.argv[2] ?? 1)

for (const relaxed of [false, true].filter(compiles)) {
  const errors = subjects.map((subject) => {
    const { worst, at, mean, count } = accuracyOf(subject, relaxed, stride)
    return {
      function: subject.name,
      'worst ulp': worst.toFixed(3),
      at: at.toPrecision(9),
      'mean ulp': mean.toFixed(3),
      numbers: count,
    }
  })
  console.log(relaxed ? '\nfloat32, relaxed SIMD' : '\nfloat32')
  console.table(errors)
}

console.log('\n1000 steps of diffGrad, 4096 parameters: distance from float64')
console.table(drifts())
