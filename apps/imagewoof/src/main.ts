import { program } from './commands/program.ts'
import { messageOf } from './failure.ts'

const args = process.argv.slice(2)
const [first = '--data'] = args
const named = !first.startsWith('-') || ['-h', '--help'].includes(first)

try {
  // Without a command's name, everything is for `start`.
  await program().parseAsync(named ? args : ['start', ...args], { from: 'user' })
} catch (error) {
  console.error(`error: ${messageOf(error)}`)
  process.exitCode = 1
}
