import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { addCache } from './commands/cache.ts'
import { commandLine, enterCallersFolder } from './commands/command-line.ts'
import { addCompare } from './commands/compare.ts'
import { addEvaluate } from './commands/evaluate.ts'
import { addExport, addReport } from './commands/export.ts'
import { addLrFind } from './commands/lr-find.ts'
import { addPredict } from './commands/predict.ts'
import { addPrepare } from './commands/prepare.ts'
import { addShowBatch } from './commands/show-batch.ts'
import { addSweep } from './commands/sweep.ts'
import { addResume, addStart, addTrain } from './commands/train.ts'
import { addWorker } from './commands/worker.ts'
import { Failure, messageOf } from './failure.ts'
import { versions } from './run/environment.ts'
import { surviveClosedOutput } from './terminal/context.ts'

const environment = `
Environment:
  IMAGEWOOF_CACHE    folder for downloaded, unpacked and decoded data
  IMAGEWOOF_ADDRESS  address of the published archives (default: their publishers')
  HF_ENDPOINT        address that backbones are downloaded from (default: huggingface.co)`

const program = new Command('npm start --')
  .description('Trains image classifiers with diffGrad and related optimizers.')
  .configureHelp({ sortSubcommands: false })
  .addHelpText('afterAll', environment)
  .version(versions(), '--version', 'print the versions of the packages and the engines')

// In the order of the help.
addStart(program)
addPrepare(program)
addShowBatch(program)
addTrain(program)
addResume(program)
addEvaluate(program)
addPredict(program)
addExport(program)
addCompare(program)
addSweep(program)
addWorker(program)
addLrFind(program)
addReport(program)
addCache(program)

const args = process.argv.slice(2)
const [first = '--data'] = args
const namesCommand = !first.startsWith('-') || ['-h', '--help', '--version'].includes(first)

surviveClosedOutput()
enterCallersFolder()
try {
  if (existsSync(first) && !program.commands.some((command) => command.name() === first))
    throw new Failure(`${first} is not a command; did you mean ${commandLine('--data', first)}?`)
  // Options without a command are those of `start`.
  await program.parseAsync(namesCommand ? args : ['start', ...args], { from: 'user' })
} catch (error) {
  console.error(`error: ${messageOf(error)}`)
  process.exitCode = 1
}
