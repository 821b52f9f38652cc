import { inChromium } from '../test/hosts/chromium.ts'
import { inNode } from '../test/hosts/node.ts'

const [host, backend, path] = process.argv.slice(2)
const t = performance.now()
const verdicts = host === 'node' ? await inNode(backend) : await inChromium(backend, path)
for (const { name, error, milliseconds } of verdicts)
  console.log(error ? 'FAIL' : 'ok', Math.round(milliseconds), name, error ?? '')
console.log((performance.now() - t) / 1000, 's')
