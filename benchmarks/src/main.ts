import { Command } from 'commander'
import { benchArrays } from './arrays/bench.ts'
import { benchTfjs } from './tfjs/bench.ts'
import { benchTraining, profileTraining } from './training/bench.ts'

const program = new Command('bench').description('Speed, side by side with the alternatives')

program
  .command('arrays')
  .description('optimizer steps over typed arrays; results are written to benchmarks/results')
  .option('--rounds <n>', 'how often each contender is timed', Number, 7)
  .action(({ rounds }: { rounds: number }) => benchArrays(rounds))

program
  .command('training')
  .description('whole train steps of convolutional networks; results are written likewise')
  .option('--rounds <n>', 'how often each contender is timed', Number, 5)
  .action(({ rounds }: { rounds: number }) => benchTraining(rounds))

program
  .command('profile')
  .description('where the time of a train step goes, by ONNX Runtime itself')
  .action(profileTraining)

program
  .command('tfjs')
  .description('optimizer and train steps on the backends of TensorFlow.js; results likewise')
  .option('--rounds <n>', 'how often each contender is timed', Number, 7)
  .action(({ rounds }: { rounds: number }) => benchTfjs(rounds))

await program.parseAsync()
