import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { archives } from '../data/sources/archives.ts'

/** The same configuration with folders that are found from anywhere. Names are found anyway. */
export function withWholePaths(config: Config): Config {
  const { data, backbone } = config
  return {
    ...config,
    ...(data !== 'shapes' && !archives.has(data) && { data: resolve(data) }),
    ...(backbone !== undefined && existsSync(backbone) && { backbone: resolve(backbone) }),
  }
}
