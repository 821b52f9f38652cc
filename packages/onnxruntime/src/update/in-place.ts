import { applyOperator, Graph, toModel, writeModel } from '@diffgrad/onnx'
import type { Runtime } from '../runtime.ts'

/**
 * Whether a runtime writes an output into the memory of a tensor that it is given for it:
 * onnxruntime-node does, onnxruntime-web takes the tensor and leaves it as it was.
 */
export async function writesInPlace({ InferenceSession, Tensor }: Runtime): Promise<boolean> {
  const graph = new Graph()
  const x = graph.input('x', 'float32', [1])
  const y = applyOperator(graph, 'Neg', [x]).output()
  const model = toModel({ name: 'probe', outputs: new Map([['y', y]]) })
  const session = await InferenceSession.create(writeModel(model), { intraOpNumThreads: 1 })
  const given = new Tensor('float32', new Float32Array(1), [1])
  await session.run({ x: new Tensor('float32', Float32Array.of(1), [1]) }, { y: given })
  await session.release()
  return given.data[0] === -1
}
