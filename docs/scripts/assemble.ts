import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Adds the API reference and the playground to the built pages, then checks all links: `pnpm site`.

const root = fileURLToPath(new URL('../..', import.meta.url))
const site = 'docs/.vitepress/dist'

/** Runs a command of the workspace, and ends with its exit status if it fails. */
function run(...command: readonly string[]): void {
  const { status } = spawnSync('pnpm', ['exec', ...command], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

run('typedoc', '--out', `${site}/api`, '--logLevel', 'Warn')
cpSync(`${root}/apps/playground/dist`, `${root}/${site}/playground`, { recursive: true })
run('tsx', 'docs/scripts/check-links.ts')
console.log(`The site is in ${site}; pnpm --filter docs preview shows it.`)
