import { seeded } from '@diffgrad/onnx'
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  valueAndGrad,
} from '@jax-js/jax'
import { serveTimings, timeSteps } from '../child-process.ts'

// Child process: trains the small CNN in jax-js. The whole step is one function compiled by `jit`, with
// its own diffGrad and pooling. jax-js frees the arguments of operations, except those taken by `ref`.
const [size, batch, classes] = [Number(process.argv[2]), Number(process.argv[3]), 10]
const [beta1, beta2, epsilon, learningRate] = [0.9, 0.999, 1e-8, 1e-3]
const channels = [3, 16, 32, 64]

await init('wasm')
defaultDevice('wasm')
const random = seeded(1)
const array = (shape: readonly number[], at: () => number): np.Array => {
  const length = shape.reduce((product, size) => product * size, 1)
  return np.array(Float32Array.from({ length }, at)).reshape([...shape])
}
const shapes = [
  ...channels
    .slice(1)
    .flatMap((outputs, i) => [[outputs, channels[i], 3, 3], [outputs], [outputs]]),
  [64, classes],
  [classes],
]
const zeros = () => shapes.map((shape) => array(shape, () => 0))

function lossOf(parameters: np.Array[], x: np.Array, target: np.Array): np.Array {
  let y = x
  let width = size
  for (let i = 0; i < 3; i++) {
    const [weight, gamma, beta] = parameters.slice(3 * i, 3 * i + 3)
    const outputs = channels[i + 1]
    y = nn.standardize(lax.conv(y, weight, [1, 1], 'SAME'), [0, 2, 3])
    y = nn.relu(y.mul(gamma.reshape([outputs, 1, 1])).add(beta.reshape([outputs, 1, 1])))
    width /= 2
    y = np.max(y.reshape([batch, outputs, width, 2, width, 2]), [3, 5])
  }
  const [weight, bias] = parameters.slice(9)
  const logits = np.matmul(np.mean(y, [2, 3]), weight).add(bias)
  return np.sum(nn.logSoftmax(logits, -1).mul(target)).mul(-1 / batch)
}

/** A step of diffGrad: the next parameters, m, v and previous gradients. */
const step = jit((state: np.Array[][], x: np.Array, target: np.Array, alpha: np.Array) => {
  const [parameters, ms, vs, previous] = state
  const retained = parameters.map((p) => p.ref)
  const [loss, gradients] = valueAndGrad(lossOf)(retained, x, target)
  const updated = parameters.map((p, i) => {
    const g = gradients[i]
    const m = ms[i].mul(beta1).add(g.ref.mul(1 - beta1))
    const v = vs[i].mul(beta2).add(g.ref.mul(g.ref).mul(1 - beta2))
    const friction = nn.sigmoid(np.abs(previous[i].sub(g.ref)))
    const change = alpha.ref.mul(friction).mul(m.ref).div(np.sqrt(v.ref).add(epsilon))
    return [p.sub(change), m, v, g]
  })
  alpha.dispose()
  return [loss, ...[0, 1, 2, 3].map((k) => updated.map((tensors) => tensors[k]))] as const
})

let state = [
  shapes.map((shape) => array(shape, () => 0.1 * random.normal())),
  zeros(),
  zeros(),
  zeros(),
]
const x = array([batch, 3, size, size], () => random.normal())
const target = nn.oneHot(
  np.array(Int32Array.from({ length: batch }, (_, i) => i % classes)),
  classes,
)
let t = 0
async function trainStep(): Promise<void> {
  t++
  const alpha = np.array((learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t))
  const [loss, ...next] = step(state, x.ref, target.ref, alpha)
  state = next
  await blockUntilReady(state)
  loss.dispose()
}

await serveTimings((steps) => timeSteps(trainStep, steps))
