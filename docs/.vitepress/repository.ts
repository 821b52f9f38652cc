import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The text of a file of the repository. */
export const read = (path: string): string => readFileSync(resolve(root, path), 'utf8')

/** The READMEs that are pages, by the name of their page below `packages/`. */
export const readmes: Readonly<Record<string, string>> = {
  arrays: 'packages/arrays/README.md',
  tfjs: 'packages/tfjs/README.md',
  'tfjs-wasm-gradients': 'packages/tfjs-wasm-gradients/README.md',
  onnx: 'packages/onnx/README.md',
  onnxruntime: 'packages/onnxruntime/README.md',
  mpi: 'packages/mpi/README.md',
  core: 'packages/core/README.md',
  kernels: 'packages/kernels/README.md',
  imagewoof: 'apps/imagewoof/README.md',
  examples: 'apps/examples/README.md',
}

/** The programs and pages of apps/examples that are shown, by the name of their page below `examples/`. */
export const examples: Readonly<Record<string, string>> = Object.fromEntries(
  ['apps/examples/src', 'apps/examples/pages'].flatMap((folder) =>
    readdirSync(resolve(root, folder)).map((file) => [
      file.replace('.', '-'),
      posix.join(folder, file),
    ]),
  ),
)

/** The file behind a page: `packages/arrays.md` shows a README. */
function sourceOf(page: string): string {
  const [, name = ''] = /^packages\/(.+)\.md$/.exec(page) ?? []
  return readmes[name] ?? posix.join('docs', page)
}

/**
 * Where a relative link of a page leads on the site: a page, or undefined for a file of the repository that is
 * no page, which the site names and does not link.
 *
 * @param page - the path of the page below `docs`.
 * @throws Error if the link leads to no file.
 */
export function siteLink(page: string, link: string): string | undefined {
  const [path = '', fragment] = link.split('#')
  const source = sourceOf(page)
  const target = posix.join(posix.dirname(source), decodeURI(path))
  const hash = fragment === undefined ? '' : `#${fragment}`
  const own = posix.relative('docs', target)
  if (/^(?!\.\.).*\.md$/.test(own) && existsSync(resolve(root, target))) return `/${own}${hash}`
  const readme = Object.entries(readmes).find(
    ([, file]) => file === target || posix.dirname(file) === target.replace(/\/$/, ''),
  )
  if (readme) return `/packages/${readme[0]}.md${hash}`
  const example = Object.entries(examples).find(([, file]) => file === target)
  if (example) return `/examples/${example[0]}.md${hash}`
  if (!existsSync(resolve(root, target))) {
    throw new Error(
      `${source}: the link ${link} leads to ${relative('.', target)}, which is no file`,
    )
  }
  return undefined
}
