import { Command } from 'commander'
import { benchArrays } from './arrays/bench.ts'
import { benchOperators } from './operators/bench.ts'
import { benchRules } from './rules/bench.ts'
import { benchTfjs } from './tfjs/bench.ts'
import { benchTraining, profileTraining } from './training/bench.ts'
import { benchGpu } from './training/gpu.ts'

const program = new Command('bench').description('Speed, side by side with other libraries')

const rounds = ['--rounds <n>', 'how often each optimizer is timed', Number] as const
const busy = ['--busy', 'times on a busy machine, too, and marks the results'] as const

program
  .command('arrays')
  .description('optimizer steps over typed arrays; writes benchmarks/results/arrays.*')
  .option(...rounds, 7)
  .action(({ rounds }: { rounds: number }) => benchArrays(rounds))

program
  .command('rules')
  .description('a step of every rule beside Adam and its memory traffic; writes results/rules.*')
  .option(...rounds, 7)
  .option('--elements <n>', 'elements of the parameter', Number, 4e6)
  .option(...busy)
  .option('--only <backends>', 'times only the backends whose names contain this text', '')
  .action(benchRules)

program
  .command('training')
  .description('whole train steps of convolutional networks; writes benchmarks/results/training.*')
  .option(...rounds, 7)
  .option(...busy)
  .option('--only <libraries>', 'times only the libraries whose names contain this text', '')
  .action(benchTraining)

program
  .command('gpu')
  .description(
    'train steps on the graphics card that WebGPU finds; writes benchmarks/results/gpu.*',
  )
  .option(...rounds, 7)
  .option(...busy)
  .option('--only <workloads>', 'times only the workloads whose names contain this text', '')
  .action(benchGpu)

program
  .command('operators')
  .description('single operators of ONNX Runtime on one and two threads')
  .option(...busy)
  .action(benchOperators)

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
