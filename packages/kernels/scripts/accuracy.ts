import { wasmSupported } from '../src/wasm/launch.ts'
import { accuracyOf, measuredFunctions } from './ulps.ts'

// Prints the accuracy of the kernels' functions over every float32: `pnpm accuracy`. Takes a minute.
const stride = Number(process.argv[2] ?? 1)

for (const relaxed of [false, true].filter(wasmSupported)) {
  const rows = measuredFunctions.map((measured) => {
    const { worst, at, mean, count } = accuracyOf(measured, relaxed, stride)
    return {
      function: measured.name,
      'worst ulp': worst.toFixed(3),
      at: at.toPrecision(9),
      'mean ulp': mean.toFixed(3),
      numbers: count,
    }
  })
  console.log(relaxed ? '\nfloat32, relaxed SIMD' : '\nfloat32')
  console.table(rows)
}
