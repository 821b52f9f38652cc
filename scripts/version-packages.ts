import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicPackages, root } from './public-packages.ts'

// `pnpm version-packages`: turns the changesets into versions and changelogs. All public packages share one
// version, so some are released without a change; changesets leaves their entries empty, and an entry
// should say why the version exists.

const unchanged = 'No changes of its own: all packages of diffGrad are released with one version.'

execFileSync('changeset', ['version'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32', // There changeset is a .cmd file.
})
for (const { folder, manifest } of publicPackages()) {
  const path = join(folder, 'CHANGELOG.md')
  if (!existsSync(path)) continue
  const text = readFileSync(path, 'utf8')
  const filled = text.replace(/^(## \d\S*)\n+(?=## |$(?![\s\S]))/gm, `$1\n\n${unchanged}\n\n`)
  writeFileSync(path, `${filled.trimEnd()}\n`)
  console.log(`${manifest.name} ${manifest.version}${filled === text ? '' : ', unchanged'}`)
}
