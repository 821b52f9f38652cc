import { rmSync } from 'node:fs'
import { chromiumPath } from '@diffgrad/testing/chromium'
import type { TestProject } from 'vitest/node'
import { firefoxPath } from './firefox.ts'
import { buildSite } from './site.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the built page. */
    readonly site: string
  }
}

/** Builds the page once for all tests in browsers. */
export default async function setup({ provide }: TestProject): Promise<() => void> {
  if (!chromiumPath && !firefoxPath) return () => {}
  const site = await buildSite()
  provide('site', site)
  return () => rmSync(site, { recursive: true })
}
