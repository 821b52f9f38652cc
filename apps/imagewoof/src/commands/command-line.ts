/** How this program is started from the root of the repository. */
export const commandLine = (...args: readonly string[]): string =>
  ['npm', 'start', '--', ...args.map(quoted)].join(' ')

const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text}'`)
