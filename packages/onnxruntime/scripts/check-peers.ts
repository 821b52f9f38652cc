import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { accuracy, type Runtime, Trainer } from '../src/index.ts'
import { smallModel, stripes } from '../test/small-model.ts'

// `pnpm check-peers`: trains on the oldest and the newest version of the peer range, and compares the
// losses with those of the installed version. Versions come from the npm registry; without a network it
// says so and ends.

/** The oldest of the peer range in package.json, and the newest. */
const versions = ['1.20.1', 'latest']
const packages = ['onnxruntime-node', 'onnxruntime-web'] as const

/** The largest relative difference between versions, whose products are summed in another order. */
const tolerance = 1e-4

/** A short training by both updates: losses, an evaluation, and the losses after a resume. */
async function losses(ort: Runtime): Promise<readonly number[]> {
  const found: number[] = []
  for (const update of ['kernel', 'graph'] as const)
    for (const metrics of [{}, { accuracy: accuracy() }]) {
      const create = () =>
        Trainer.create(ort, smallModel(), {
          loss: crossEntropy(),
          dimensions: { batch: 16 },
          optimizer: { rule: diffGrad, learningRate: 1e-2 },
          metrics,
          update,
        })
      const trainer = await create()
      for (let t = 0; t < 5; t++) found.push((await trainer.step(stripes(t))).loss)
      found.push((await trainer.evaluate(stripes(9, 32))).loss)
      const { output } = await trainer.predict({ input: stripes(9, 2).input })
      found.push(...Array.from(output.data, Number))
      const resumed = await create()
      await resumed.load(await trainer.save())
      found.push((await resumed.step(stripes(5))).loss)
      for (const each of [trainer, resumed]) await each.dispose()
    }
  return found
}

/** The losses on the runtime that a folder has, in a process of its own: versions share native symbols. */
function lossesIn(folder: string, name: string): readonly number[] {
  const options = ['--conditions=@diffgrad/source', '--import', 'tsx']
  const args = [...options, import.meta.filename, join(folder, 'package.json'), name]
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1e8 })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '')
}

/** Installs a version in a new folder; undefined if the registry cannot be reached. */
function install(name: string, version: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-peer-'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip' }
  const args = ['install', '--no-audit', '--no-fund', '--silent', `${name}@${version}`]
  try {
    execFileSync('npm', args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
    return folder
  } catch (error) {
    rmSync(folder, { recursive: true })
    const text = String(error)
    if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(text)) return undefined
    throw error
  }
}

function checkPeers(): void {
  const here = join(import.meta.dirname, '..')
  for (const name of packages) {
    const expected = lossesIn(here, name)
    for (const version of versions) {
      const folder = install(name, version)
      if (folder === undefined) {
        console.info('check-peers: skipped, since the npm registry cannot be reached')
        return
      }
      const installed = createRequire(join(folder, 'package.json'))(
        join(folder, 'node_modules', name, 'package.json'),
      ).version
      const found = lossesIn(folder, name)
      rmSync(folder, { recursive: true })
      const worst = Math.max(
        ...expected.map((loss, i) => Math.abs(found[i] - loss) / Math.max(Math.abs(loss), 1e-2)),
      )
      if (!(worst <= tolerance))
        throw new Error(
          `${name} ${installed}: losses must agree to ${tolerance}, but differ by ${worst}`,
        )
      console.info(
        `${name} ${installed}: ${found.length} numbers agree to ${worst.toExponential(1)}`,
      )
    }
  }
}

const [, , manifest, name = ''] = process.argv
if (manifest === undefined) checkPeers()
else {
  const module = pathToFileURL(createRequire(manifest).resolve(name)).href
  const ort: Runtime & { readonly default?: Runtime } = await import(module)
  console.info(JSON.stringify(await losses(ort.InferenceSession ? ort : (ort.default ?? ort))))
  process.exit()
}
