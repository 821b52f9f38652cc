import { existsSync } from 'node:fs'
import puppeteer, { type Browser } from 'puppeteer-core'

/** The path of Firefox: FIREFOX, or where it is usually installed; undefined without one. */
export const firefoxPath: string | undefined = [
  process.env.FIREFOX,
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
].find((path) => path && existsSync(path))

/** The title of a block of tests in Firefox, with the reason if they are skipped. */
export const firefoxTitle: string = firefoxPath
  ? 'in Firefox'
  : 'in Firefox: skipped, because no Firefox is installed (set FIREFOX to its path)'

/** Starts Firefox without a window. Playwright drives only its own build of Firefox; Puppeteer, any by WebDriver BiDi. */
export const launchFirefox = (): Promise<Browser> =>
  puppeteer.launch({ browser: 'firefox', executablePath: firefoxPath ?? '', timeout: 100_000 })
