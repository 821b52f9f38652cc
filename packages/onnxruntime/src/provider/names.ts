import type { SessionOptions } from '../runtime.ts'

/** The execution providers that a session is to use, best first. */
export const providersOf = ({ executionProviders = [] }: SessionOptions): readonly string[] =>
  executionProviders.map((provider) => (typeof provider === 'string' ? provider : provider.name))

/** Those that are not the processor itself, in Node or in a browser. */
export const acceleratorsOf = (options: SessionOptions): readonly string[] =>
  providersOf(options).filter((name) => name !== 'cpu' && name !== 'wasm')
