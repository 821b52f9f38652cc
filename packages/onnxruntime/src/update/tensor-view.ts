import { elementCount, type Model } from '@diffgrad/onnx'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { createSession, type Runtime, runSession, type SessionOptions } from '../runtime.ts'

/** A part of a tensor that never changes and may lie on a device: the elements of one array. */
export interface TensorView {
  readonly tensor: Tensor
  /** The first element. */
  readonly offset: number
  readonly shape: readonly number[]
}

/** The number of elements of a view. */
export const sizeOf = ({ shape }: TensorView): number => elementCount(shape)

/** The view of a whole new tensor. */
export const newView = (
  { Tensor }: Runtime,
  data: Float32Array,
  shape: readonly number[],
): TensorView => ({ tensor: new Tensor('float32', data, shape), offset: 0, shape })

/** Returns the elements of tensors, which may lie on a device. */
export class TensorReader {
  readonly #runtime: Runtime
  readonly #options: SessionOptions
  #session: InferenceSession | undefined

  constructor(runtime: Runtime, options: SessionOptions) {
    this.#runtime = runtime
    this.#options = options
  }

  /**
   * The elements of a float32 tensor; not copied if they are on the CPU. A session moves others, since
   * onnxruntime-node 1.30 has no other way.
   */
  async read(tensor: Tensor): Promise<Float32Array> {
    if (tensor.location === 'cpu') return tensor.data as Float32Array
    this.#session ??= await createSession(this.#runtime, identityModel(), this.#options)
    const { y } = await runSession(this.#session, { x: tensor })
    return y.data as Float32Array
  }

  async release(): Promise<void> {
    await this.#session?.release()
  }
}

const identityModel = (): Model => ({
  name: 'read',
  inputs: [{ name: 'x', type: 'float32', shape: undefined }],
  outputs: [{ name: 'y', type: 'float32', shape: undefined }],
  nodes: [
    {
      operator: 'Identity',
      domain: '',
      name: 'read',
      inputs: ['x'],
      outputs: ['y'],
      attributes: new Map(),
    },
  ],
  initializers: new Map(),
  values: new Map(),
  domains: new Map(),
})

/** The tensor that views are the consecutive parts of, if they cover all of it. */
export function wholeTensor(views: readonly TensorView[]): Tensor | undefined {
  const [{ tensor }] = views
  let end = 0
  for (const view of views) {
    if (view.tensor !== tensor || view.offset !== end) return undefined
    end += sizeOf(view)
  }
  return end === tensor.size ? tensor : undefined
}

/** The views of consecutive parts of a tensor, in these shapes. */
export function partsOf(
  tensor: Tensor,
  shapes: readonly (readonly number[])[],
): readonly TensorView[] {
  let offset = 0
  return shapes.map((shape) => {
    const view = { tensor, offset, shape }
    offset += sizeOf(view)
    return view
  })
}
