import { Command } from 'commander'
import { addCompare } from './compare.ts'
import { addEvaluate } from './evaluate.ts'
import { addExport } from './export.ts'
import { addLrFind } from './lr-find.ts'
import { addPredict } from './predict.ts'
import { addPrepare } from './prepare.ts'
import { addReport } from './report.ts'
import { addResume } from './resume.ts'
import { addStart } from './start.ts'
import { addTrain } from './train.ts'

const commands = [
  addStart,
  addPrepare,
  addTrain,
  addResume,
  addEvaluate,
  addPredict,
  addExport,
  addCompare,
  addLrFind,
  addReport,
]

const environment = `
Environment:
  IMAGEWOOF_CACHE    the folder for what is downloaded, unpacked and decoded
  IMAGEWOOF_ADDRESS  where the published archives are, instead of fast.ai's address
  HF_ENDPOINT        where backbones are fetched from, instead of huggingface.co`

/** The whole command line. */
export function program(): Command {
  const all = new Command('npm start --')
    .description('Trains image classifiers with diffGrad and its relatives, from photographs.')
    .configureHelp({ sortSubcommands: false })
    .addHelpText('afterAll', environment)
  for (const add of commands) add(all)
  return all
}
