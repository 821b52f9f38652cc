import { join } from 'node:path'
import type { Config } from '../config/config.ts'

/** A folder for what a command makes, named by the moment and the subject. */
export const freshFolder = (...names: readonly string[]): string => {
  const moment = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '')
  return join('runs', [moment, ...names.map((name) => name.replace(/[^\w.-]+/g, '-'))].join('-'))
}

/** The run folder of a configuration. */
export const folderFor = ({ data, optimizer }: Config): string => {
  const name = data.split(/[\\/]/).findLast((part) => part !== '') ?? data
  return freshFolder(name, optimizer)
}
