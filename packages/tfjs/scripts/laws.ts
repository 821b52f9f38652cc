import { closeBrowser } from '../test/targets/chromium.ts'
import { targets } from '../test/targets/targets.ts'

// Prints which law and check holds on which backend: `pnpm laws [backend…]`. Takes minutes.
const selected = process.argv.slice(2)
const table = new Map<string, Record<string, string>>()
for (const { name, missing, run } of targets) {
  if (selected.length > 0 && !selected.includes(name)) continue
  if (missing) {
    console.log(`${name}: skipped, because ${missing}`)
    continue
  }
  const start = performance.now()
  for (const { name: check, error } of await run()) {
    table.set(check, { ...table.get(check), [name]: error ? 'NO' : 'yes' })
    if (error) console.log(`${name}: ${check}: ${error}`)
  }
  console.log(`${name}: ${Math.round((performance.now() - start) / 1000)} s`)
}
await closeBrowser()
console.log('On webgpu, the law about skipNotFinite holds in that the option is refused.')
console.table(Object.fromEntries(table))
process.exit([...table.values()].some((row) => Object.values(row).includes('NO')) ? 1 : 0)
