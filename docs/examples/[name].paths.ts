import { extname } from 'node:path'
import { examples, read } from '../.vitepress/repository.ts'

const page = (
  file: string,
): string => `From the [examples](../../apps/examples/README.md), which say how to run it.

\`\`\`${extname(file).slice(1)}
${read(file)}\`\`\`
`

export default {
  paths: () =>
    Object.entries(examples).map(([name, file]) => ({
      params: { name, file },
      content: page(file),
    })),
}
