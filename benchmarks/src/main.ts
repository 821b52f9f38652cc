import { Command } from 'commander'
import { benchArrays } from './arrays/bench.ts'
import { benchTfjs } from './tfjs/bench.ts'
import { benchTraining, profileTraining } from './training/bench.ts'

const program = new Command('bench').description('Speed, side by side with other libraries')

const rounds = ['--rounds <n>', 'how often each optimizer is timed', Number] as const

program
  .command('arrays')
  .description('optimizer steps over typed arrays; writes benchmarks/results/arrays.*')
  .option(...rounds, 7)
  .action(({ rounds }: { rounds: number }) => benchArrays(rounds))

program
  .command('training')
  .description('whole train steps of convolutional networks; writes benchmarks/results/training.*')
  .option(...rounds, 5)
  .action(({ rounds }: { rounds: number }) => benchTraining(rounds))

program
  .command('profile')
  .description('the time of each phase of a train step, by ONNX Runtime’s profiler')
  .action(profileTraining)

program
  .command('tfjs')
  .description('steps on the backends of TensorFlow.js; writes benchmarks/results/tfjs.*')
  .option(...rounds, 7)
  .action(({ rounds }: { rounds: number }) => benchTfjs(rounds))

await program.parseAsync()
