import type { Schedule } from '@diffgrad/core'
import { type Model, writeModel } from '@diffgrad/onnx'
import { type Config, type TuneStage, tuneStages } from '../config/config.ts'
import { updatesOf } from '../config/optimizer.ts'
import { Divergence, messageOf } from '../failure.ts'
import { frozenPatterns } from '../model/backbone.ts'
import type { Provider } from '../provider.ts'
import type { RankGroup } from '../rank-group.ts'
import { WorkerThread } from '../worker-thread.ts'
import type { TrainingEngine } from './engine.ts'

/** What the thread of an engine is started with. */
export interface EngineWorkerData {
  readonly config: Config
  /** Number of optimizer updates in the whole training. */
  readonly updates: number
  /** Replaces that of the configuration. */
  readonly learningRate: Schedule | undefined
  /** As an .onnx file. */
  readonly model: Uint8Array
  readonly frozen: readonly RegExp[]
  readonly provider: Provider | undefined
  /** Whether it is one of several ranks, which `mpirun` has started. */
  readonly isRank: boolean
}

/** A call of a method of the engine; `create` waits until there is one. */
export interface EngineRequest {
  readonly method: 'create' | keyof TrainingEngine
  readonly args: readonly unknown[]
}

export type EngineResponse =
  | { readonly value: unknown }
  | { readonly error: unknown; readonly diverged: boolean }

type Method = Exclude<keyof TrainingEngine, 'dispose'>

/** All methods but `dispose`, which also ends the thread. */
const methods: Readonly<Record<Method, true>> = {
  step: true,
  reestimate: true,
  predict: true,
  report: true,
  save: true,
  load: true,
  export: true,
}

/** How an engine differs from that of its configuration. */
interface EngineOptions {
  /** Of the training; default the last one, whose engine loads the checkpoints of every stage. */
  readonly stage?: TuneStage
  /** Replaces that of the configuration. */
  readonly learningRate?: Schedule
  /** Where ONNX Runtime computes; default `cpu`. */
  readonly provider?: Provider | undefined
  /** The ranks that train together; default one. */
  readonly ranks?: Pick<RankGroup, 'size'>
}

/**
 * Creates the engine of a configuration in a thread of its own, so that a step, however long, does not
 * block this thread: signals, resizing and other connections are handled at once.
 *
 * @param batchesPerEpoch - of the data.
 */
export async function openEngine(
  config: Config,
  batchesPerEpoch: number,
  model: Model,
  { stage = tuneStages(config).slice(-1)[0], learningRate, provider, ranks }: EngineOptions = {},
): Promise<TrainingEngine> {
  const updates = updatesOf(config, batchesPerEpoch)
  const workerData: EngineWorkerData = {
    ...{ config, updates, learningRate, provider, isRank: (ranks?.size ?? 1) > 1 },
    ...{ model: writeModel(model), frozen: frozenPatterns(model, stage.parameters) },
  }
  const module = new URL('./engine-worker', import.meta.url)
  const thread = new WorkerThread<EngineRequest, EngineResponse>(module, workerData)
  const send = async (method: EngineRequest['method'], ...args: readonly unknown[]) => {
    const response = await thread.send({ method, args })
    if ('value' in response) return response.value
    throw errorOf(response)
  }
  try {
    await send('create')
  } catch (error) {
    await thread.dispose()
    throw error
  }
  const entries = Object.keys(methods).map((method) => [
    method,
    (...args: readonly unknown[]) => send(method as keyof typeof methods, ...args), // Of the literal.
  ])
  return {
    // The thread calls the engine's own methods, so types of arguments and results are theirs.
    ...(Object.fromEntries(entries) as Pick<TrainingEngine, Method>),
    async dispose() {
      await send('dispose')
      await thread.dispose()
    },
  }
}

/** The error of a response. Structured cloning loses its class. */
const errorOf = ({ error, diverged }: { error: unknown; diverged: boolean }): unknown =>
  diverged ? new Divergence(messageOf(error), { cause: error }) : error
