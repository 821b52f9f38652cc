import { sep } from 'node:path'
import { defineConfig, mergeConfig, type Plugin } from 'vitest/config'
import base from '../../vitest.config.ts'
import { mutations } from './mutations.ts'

/** Puts the fault that is named in the environment into the sources, as they are loaded. */
function fault(): Plugin {
  const { MUTATION: name } = process.env
  const edits = mutations.find((mutation) => mutation.name === name)?.edits ?? []
  return {
    name: 'fault',
    enforce: 'pre',
    transform(code, id) {
      const due = edits.filter(({ file }) => id.split(sep).join('/').endsWith(`core/src/${file}`))
      return due.reduce((text, { file, from, to }) => {
        if (text.split(from).length !== 2)
          throw new Error(`${file}: "${from}" must stand there once`)
        return text.replace(from, to)
      }, code)
    },
  }
}

export default mergeConfig(
  base,
  defineConfig({
    plugins: [fault()],
    test: {
      // Each kind of kernel once. The loops made at build time are of the sound rules, and are not run.
      testNamePattern: /^(reference|block interpreter|WebAssembly, allocated) /,
      include: [
        'packages/testing/test/reference.test.ts',
        'packages/arrays/test/conformance.test.ts',
      ],
    },
  }),
)
