import { parentPort, workerData } from 'node:worker_threads'
import { readModel } from '@diffgrad/onnx'
import { optimizerOf } from '../config/optimizer.ts'
import { Divergence } from '../failure.ts'
import type { EngineRequest, EngineResponse, EngineWorkerData } from './engine-thread.ts'
import { engines } from './engines.ts'

// Creates an engine, and answers calls of its methods in their order. The first answer is to its creation.
const { config, updates, learningRate, model, frozen, provider, isRank }: EngineWorkerData =
  workerData
const { engine: name, batch, size, threads } = config
const optimizer = { ...optimizerOf(config, updates), ...(learningRate && { learningRate }) }
const creation = (async () => {
  // Imported only here because most trainings have one rank.
  const ranks = isRank ? await (await import('@diffgrad/mpi')).communicator() : undefined
  return engines[name]({
    ...{ model: readModel(model), frozen, optimizer, ranks },
    ...{ batch, size, threads, provider },
  })
})()

async function answer(request: EngineRequest): Promise<EngineResponse> {
  try {
    const engine = await creation
    if (request.method === 'create') return { value: undefined }
    // `EngineThread` passes the arguments of the method.
    const method = engine[request.method] as (...args: readonly unknown[]) => Promise<unknown>
    return { value: await method.apply(engine, [...request.args]) }
  } catch (error) {
    return { error, diverged: error instanceof Divergence }
  }
}

parentPort?.on('message', async (request: EngineRequest) =>
  parentPort?.postMessage(await answer(request)),
)
