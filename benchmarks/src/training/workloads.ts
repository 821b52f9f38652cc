import {
  batchNorm,
  buildModel,
  conv,
  globalAveragePool,
  type Layer,
  linear,
  type Model,
  maxPool,
  relu,
  seeded,
  sequential,
  xResNet18,
  xResNet50,
} from '@diffgrad/onnx'

/** A network that classifies square images. */
export interface Workload {
  readonly name: string
  readonly network: 'small' | 'xresnet18' | 'xresnet50'
  /** Width and height of the images, in pixels. */
  readonly size: number
  /** The number of images. */
  readonly batch: number
}

/** Workloads of two CPU cores. */
export const workloads: readonly Workload[] = [
  { name: 'small CNN, 64²', network: 'small', size: 64, batch: 32 },
  { name: 'XResNet-18, 64²', network: 'xresnet18', size: 64, batch: 32 },
  { name: 'XResNet-18, 128²', network: 'xresnet18', size: 128, batch: 32 },
]

/** Workloads of a graphics card. */
export const gpuWorkloads: readonly Workload[] = [
  { name: 'small CNN, 64², batch 32', network: 'small', size: 64, batch: 32 },
  { name: 'XResNet-18, 64², batch 32', network: 'xresnet18', size: 64, batch: 32 },
  { name: 'XResNet-18, 128², batch 64', network: 'xresnet18', size: 128, batch: 64 },
  { name: 'XResNet-50, 128², batch 64', network: 'xresnet50', size: 128, batch: 64 },
]

/** @throws RangeError if there is no workload of that name. */
export function findWorkload(name: string): Workload {
  const workload = [...workloads, ...gpuWorkloads].find((candidate) => candidate.name === name)
  if (!workload) throw new RangeError(`there is no workload ${name}`)
  return workload
}

const networks: Readonly<Record<Workload['network'], Layer>> = {
  small: sequential(
    ...[16, 32, 64].map((channels) => sequential(conv(channels), batchNorm(), relu, maxPool(2))),
    globalAveragePool,
    linear(10),
  ),
  xresnet18: xResNet18(10),
  xresnet50: xResNet50(10),
}

/** A batch of random images. */
export function examplesOf({ size, batch }: Workload): { input: Float32Array; target: number[] } {
  const random = seeded(2)
  return {
    input: Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal()),
    target: Array.from({ length: batch }, (_, i) => i % 10),
  }
}

/** The network of a workload, for batches of RGB images. */
export const modelOf = ({ network, size }: Workload): Model =>
  buildModel(networks[network], { shape: ['batch', 3, size, size], seed: 1 })
