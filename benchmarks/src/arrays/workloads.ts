/** The tensors that one step updates. */
export interface Workload {
  readonly name: string
  /** In elements. */
  readonly sizes: readonly number[]
}

/** Prepares an optimizer for a workload; the result takes one step. */
export type PrepareOptimizer = (workload: Workload) => Promise<() => unknown>

/** The 161 parameters of ResNet-50, as torchvision has them: 25,557,032 elements. */
function resNet50(): readonly number[] {
  const convolution = (inputs: number, outputs: number, kernel: number) => [
    inputs * outputs * kernel * kernel,
    outputs, // Batch normalization: γ,
    outputs, // and β.
  ]
  const stages = [
    { width: 64, blocks: 3 },
    { width: 128, blocks: 4 },
    { width: 256, blocks: 6 },
    { width: 512, blocks: 3 },
  ]
  const sizes = convolution(3, 64, 7)
  let inputs = 64
  for (const { width, blocks } of stages) {
    for (let block = 0; block < blocks; block++) {
      sizes.push(...convolution(inputs, width, 1), ...convolution(width, width, 3))
      sizes.push(...convolution(width, 4 * width, 1))
      if (block === 0) sizes.push(...convolution(inputs, 4 * width, 1))
      inputs = 4 * width
    }
  }
  return [...sizes, 2048 * 1000, 1000]
}

export const workloads: readonly Workload[] = [
  { name: 'one tensor of 25e6', sizes: [25_000_000] },
  { name: 'ResNet-50', sizes: resNet50() },
  { name: 'one tensor of 1e6', sizes: [1_000_000] },
  { name: '1000 tensors of 100', sizes: Array.from({ length: 1000 }, () => 100) },
]

/** The number of elements that a step updates. */
export const elementCount = ({ sizes }: Workload): number => sizes.reduce((a, b) => a + b)

/** The gradient at an index, the same for every optimizer and every step. */
export const gradientAt = (i: number): number => 0.01 * Math.sin(i)

/** The initial parameter at an index. */
export const initialAt = (i: number): number => Math.cos(i)
