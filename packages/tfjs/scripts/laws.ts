import { inChromium } from '../test/hosts/chromium.ts'

const [backend, path] = process.argv.slice(2)
const t = performance.now()
const verdicts = await inChromium(backend, path)
for (const { name, error, milliseconds } of verdicts)
  console.log(error ? 'FAIL' : 'ok', Math.round(milliseconds), name, error ?? '')
console.log((performance.now() - t) / 1000, 's')
