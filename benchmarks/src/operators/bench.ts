import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Model, seeded, writeModel } from '@diffgrad/onnx'
import { requireIdle } from '@diffgrad/testing/machine'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { formatSummary, markdownTable, summarize } from '../report.ts'
import { type OperatorCase, operatorCases } from './cases.ts'

const runs = 21

/**
 * Prints the time of single operators on one and two threads. It shows which ones a lowering must avoid:
 * some are slower with two threads than with one.
 */
export async function benchOperators({ busy = false }: { readonly busy?: boolean }): Promise<void> {
  await requireIdle(busy)
  const rows: (readonly string[])[] = []
  for (const operatorCase of operatorCases) {
    const [one, two] = [await timeOperator(operatorCase, 1), await timeOperator(operatorCase, 2)]
    if (!one || !two) continue
    const gain = summarize(one).median / summarize(two).median
    const cells = [one, two].map((timings) => formatSummary(summarize(timings)))
    rows.push([operatorCase.name, ...cells, `${gain.toFixed(2)} ×`])
  }
  console.log(markdownTable(['operator', 'ms, 1 thread', 'ms, 2 threads', 'gain'], rows))
  console.log(`\n${markdownTable(['session.run with 45 MB', 'ms'], await timeTransfers())}`)
}

/** The weights of XResNet-18: 11.2 million elements. */
const weightsShape = [10_944, 1024] as const

/**
 * What passing all weights and taking all gradients costs besides computing. Up to onnxruntime-node 1.30, an
 * input is not copied, and an output is, even if it is also written into a preallocated tensor.
 */
async function timeTransfers(): Promise<readonly (readonly string[])[]> {
  const row = modelOf({
    name: 'a row of the input',
    operator: 'Gather',
    inputs: [weightsShape],
    constants: [[0]],
  })
  const filled = modelOf({
    name: 'an output',
    operator: 'ConstantOfShape',
    inputs: [],
    constants: [weightsShape],
  })
  const weights = new Tensor('float32', new Float32Array(10_944 * 1024), [...weightsShape])
  return [
    ['as an input, of which a row is read', await timeRuns(row, { x0: weights }, null)],
    ['as an output', await timeRuns(filled, {}, null)],
    ['as a preallocated output', await timeRuns(filled, {}, weights)],
  ]
}

async function timeRuns(
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
  output: Tensor | null,
): Promise<string> {
  const session = await InferenceSession.create(writeModel(model), {
    intraOpNumThreads: 2,
    graphOptimizationLevel: 'disabled',
  })
  const timings: number[] = []
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    await session.run(feeds, { y0: output })
    timings.push(performance.now() - start)
  }
  await session.release()
  return formatSummary(summarize(timings.slice(1)))
}

/** The milliseconds of each run but the first; undefined if the runtime lacks the operator. */
async function timeOperator(
  operatorCase: OperatorCase,
  threads: number,
): Promise<readonly number[] | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'diffgrad-operator-'))
  try {
    const session = await InferenceSession.create(writeModel(modelOf(operatorCase)), {
      logSeverityLevel: 4,
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'disabled',
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
    const random = seeded(1)
    const feeds = operatorCase.inputs.map((shape, i) => {
      const length = shape.reduce((a, b) => a * b, 1)
      const data = Float32Array.from({ length }, () => random.normal())
      return [`x${i}`, new Tensor('float32', data, [...shape])] as const
    })
    for (let run = 0; run < runs; run++) await session.run(Object.fromEntries(feeds))
    session.endProfiling()
    await session.release()
    const [file] = readdirSync(folder)
    if (file === undefined) return undefined
    // ONNX Runtime writes a JSON array of trace events, with microseconds.
    const events: readonly { name: string; dur: number }[] = JSON.parse(
      readFileSync(join(folder, file), 'utf8'),
    )
    const kernel = events.filter(({ name }) => name === 'case_kernel_time')
    return kernel.slice(1).map(({ dur }) => dur / 1000)
  } catch (error) {
    console.error(`${operatorCase.name}: ${error instanceof Error ? error.message : error}`)
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function modelOf(operatorCase: OperatorCase): Model {
  const { operator, domain = '', inputs, constants = [], outputs = ['float32'] } = operatorCase
  const names = [...inputs.map((_, i) => `x${i}`), ...constants.map((_, i) => `c${i}`)]
  const results = outputs.map((_, i) => `y${i}`)
  return {
    name: 'operator',
    inputs: inputs.map((shape, i) => ({ name: `x${i}`, type: 'float32', shape })),
    outputs: outputs.map((type, i) => ({ name: `y${i}`, type, shape: undefined })),
    nodes: [
      {
        operator,
        domain,
        name: 'case',
        inputs: names,
        outputs: results,
        attributes: new Map(Object.entries(operatorCase.attributes ?? {})),
      },
    ],
    initializers: new Map(
      constants.map((values, i) => [
        `c${i}`,
        { type: 'int64', shape: [values.length], data: BigInt64Array.from(values, BigInt) },
      ]),
    ),
    values: new Map(),
    domains: domain === '' ? new Map() : new Map([[domain, 1]]),
  }
}
