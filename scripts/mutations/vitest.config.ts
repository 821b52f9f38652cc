import { sep } from 'node:path'
import { defineConfig, mergeConfig, type Plugin } from 'vitest/config'
import base from '../../vitest.config.ts'
import { mutations } from './mutations.ts'

/** Applies the mutation named by the environment variable MUTATION to the sources as they are loaded. */
function mutate(): Plugin {
  const { MUTATION: name } = process.env
  const edits = mutations.find((mutation) => mutation.name === name)?.edits ?? []
  return {
    name: 'mutate',
    enforce: 'pre',
    transform(code, id) {
      const path = id.split(sep).join('/')
      const applicable = edits.filter(({ package: folder = 'core', file }) =>
        path.endsWith(`packages/${folder}/src/${file}`),
      )
      return applicable.reduce((text, { file, from, to }) => {
        if (text.split(from).length !== 2) throw new Error(`${file}: "${from}" must occur once`)
        return text.replace(from, to)
      }, code)
    },
  }
}

export default mergeConfig(
  base,
  defineConfig({
    plugins: [mutate()],
    test: {
      // One backend for each kind of code generated at run time. Kernels generated at build time contain
      // the unmodified rules.
      testNamePattern: /^(reference|block interpreter|WebAssembly, allocated) /,
      include: [
        'packages/testing/test/reference.test.ts',
        'packages/arrays/test/conformance.test.ts',
      ],
    },
  }),
)
