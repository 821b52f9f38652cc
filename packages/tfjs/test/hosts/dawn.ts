import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Verdict } from '../judge.ts'

/** A Vulkan driver that needs no graphics card comes with Chromium. */
export const driver: string | undefined = [
  process.env.VK_ICD_FILENAMES,
  '/usr/lib/chromium/vk_swiftshader_icd.json',
].find((path) => path !== undefined && existsSync(path))

/** Judges the webgpu backend in a process of Node. */
export async function inDawn(): Promise<readonly Verdict[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dawn-'))
  const result = join(folder, 'verdicts.json')
  const child = fileURLToPath(new URL('dawn-child.ts', import.meta.url))
  const env = {
    ...process.env,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: dirname(driver ?? ''),
  }
  try {
    const options = ['--import', 'tsx', '--conditions=@diffgrad/source', child, result]
    await promisify(execFile)(process.execPath, options, { env })
    return JSON.parse(readFileSync(result, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
