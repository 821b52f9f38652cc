import { read, readmes } from '../.vitepress/repository.ts'

export default {
  paths: () =>
    Object.entries(readmes).map(([name, file]) => ({ params: { name }, content: read(file) })),
}
