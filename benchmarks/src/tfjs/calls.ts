/** What a step asked of the graphics card. */
export interface Calls {
  /** Draws of WebGL, dispatches of WebGPU. */
  readonly programs: number
  /** Times that data went from the host. */
  readonly uploads: number
  /** Submits to the queue of WebGPU. */
  readonly submits: number
}

const counts = { programs: 0, uploads: 0, submits: 0 }

/** Counts calls of a method, if it is there; of those only for which a condition holds. */
function count<T extends object>(
  type: { readonly prototype: T } | undefined,
  method: string,
  key: keyof typeof counts,
  holds: (args: readonly unknown[]) => boolean = () => true,
): void {
  if (!type) return
  const original: unknown = Reflect.get(type.prototype, method)
  if (typeof original !== 'function') throw new TypeError(`there is no method ${method}`)
  Reflect.set(type.prototype, method, function counted(this: unknown, ...args: unknown[]): unknown {
    if (holds(args)) counts[key]++
    return Reflect.apply(original, this, args)
  })
}

const hasData = (args: readonly unknown[]): boolean => ArrayBuffer.isView(args.at(-1))

/** Begins to count what is asked of WebGL and WebGPU; to be called before either is used. */
export function watch(): void {
  const { WebGL2RenderingContext: webgl, GPUQueue: queue, GPUDevice: device } = globalThis
  count(webgl, 'drawElements', 'programs')
  count(webgl, 'drawArrays', 'programs')
  count(webgl, 'texImage2D', 'uploads', hasData)
  count(webgl, 'texSubImage2D', 'uploads', hasData)
  count(globalThis.GPUComputePassEncoder, 'dispatchWorkgroups', 'programs')
  count(queue, 'writeBuffer', 'uploads')
  count(device, 'createBuffer', 'uploads', ([descriptor]) => isMapped(descriptor))
  count(queue, 'submit', 'submits')
}

const isMapped = (descriptor: unknown): boolean =>
  descriptor instanceof Object && Reflect.get(descriptor, 'mappedAtCreation') === true

/** Calls since the last time, shared by so many steps. */
export function callsOf(steps: number): Calls {
  const { programs, uploads, submits } = counts
  Object.assign(counts, { programs: 0, uploads: 0, submits: 0 })
  return { programs: programs / steps, uploads: uploads / steps, submits: submits / steps }
}
