import { hosts } from '../test/hosts/index.ts'

// Prints which law and fact holds on which backend: `pnpm laws [backend…]`. Takes minutes.
const chosen = process.argv.slice(2)
const table = new Map<string, Record<string, string>>()
for (const { name, missing, judge } of hosts) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  if (missing) {
    console.log(`${name}: left out, because ${missing}`)
    continue
  }
  const start = performance.now()
  for (const verdict of await judge()) {
    const row = table.get(verdict.name) ?? {}
    table.set(verdict.name, { ...row, [name]: verdict.error ? 'NO' : 'yes' })
    if (verdict.error) console.log(`${name}: ${verdict.name}: ${verdict.error}`)
  }
  console.log(`${name}: ${Math.round((performance.now() - start) / 1000)} s`)
}
console.log('On webgpu, the law about skipNotFinite holds in that the option is refused.')
console.table(Object.fromEntries(table))
process.exit([...table.values()].some((row) => Object.values(row).includes('NO')) ? 1 : 0)
