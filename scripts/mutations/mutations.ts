/** A plausible fault: in each file, one text is replaced by another. */
export interface Mutation {
  readonly name: string
  /** The backends that it concerns; all if omitted. */
  readonly backends?: RegExp
  readonly edits: readonly {
    /** The package of the file; core if omitted. */
    readonly package?: 'kernels'
    /** Below the `src` of its package. */
    readonly file: string
    readonly from: string
    readonly to: string
  }[]
}

const adaptive = ['rules/diffgrad.ts', 'rules/diffrgrad.ts', 'rules/radam.ts', 'rules/adamod.ts']

/** The faults that the conformance laws must detect. */
export const mutations: readonly Mutation[] = [
  {
    name: 'state that should start as θ starts at zero',
    edits: [{ file: 'update.ts', from: 'if (step === 0) {', to: 'if (step < 0) {' }],
  },
  {
    name: 'inspect reads zero instead of state that starts as θ',
    edits: [{ file: 'parameter-group.ts', from: '[name, lists.theta]', to: '[name, lists[name]]' }],
  },
  {
    name: 'Schedule-Free is evaluated where gradients are computed',
    edits: [{ file: 'rules/schedulefree.ts', from: '(1 - beta) / beta', to: '0 * beta' }],
  },
  {
    name: 'all steps of Schedule-Free have one weight, whatever γ',
    edits: [{ file: 'rules/schedulefree.ts', from: 'largestRate ** 2', to: '1' }],
  },
  {
    name: 'Schedule-Free weights by the γ of a step, not by the largest',
    edits: [
      {
        file: 'rules/schedulefree.ts',
        from: 'Math.max(previous.largestRate, rateAt(hyperparameters, t))',
        to: 'rateAt(hyperparameters, t)',
      },
    ],
  },
  {
    name: 'the decay of Schedule-Free does not move z',
    edits: [
      {
        file: 'rules/schedulefree.ts',
        from: 'z: sub(z, mul(c.stepZ, d))',
        to: 'z: sub(z, mul(c.stepZ, direction))',
      },
    ],
  },
  {
    name: 'a change of β moves the average of Schedule-Free',
    edits: [
      {
        file: 'rules/schedulefree.ts',
        from: '((1 - weight) * beta) / previous.beta',
        to: '1 - weight',
      },
    ],
  },
  {
    name: 'the weights of Schedule-Free return from the evaluation point by the inverse, which rounds',
    edits: [
      {
        file: 'update.ts',
        from: 'backend.apply(copyWeights, { from: training, to: group.theta }, {})',
        to: 'backend.apply(copyWeights, { from: group.state.z, to: group.theta }, {})',
      },
    ],
  },
  {
    name: 'ξ removed',
    edits: [
      { file: 'rules/diffgrad.ts', from: 'mul(xi, m)', to: 'm' },
      { file: 'rules/diffrgrad.ts', from: 'mul(xi, m)', to: 'm' },
      { file: 'rules/diffmod.ts', from: 'mul(xi, m)', to: 'm' },
    ],
  },
  {
    name: 'ξ = ½',
    edits: [
      { file: 'rules/diffgrad.ts', from: 'switch (equation)', to: "switch ('half' as Friction)" },
    ],
  },
  {
    name: 'sign of version 1 flipped',
    edits: [
      {
        file: 'rules/diffgrad.ts',
        from: 'return sigmoid(sub(p, g))',
        to: 'return sigmoid(sub(g, p))',
      },
    ],
  },
  {
    name: 'ε inside the root',
    edits: adaptive.map((file) => ({
      file,
      from: 'add(sqrt(v), c.epsilon)',
      to: 'sqrt(add(v, c.epsilon))',
    })),
  },
  {
    name: 'bias correction dropped',
    edits: [
      {
        file: 'rules/moments.ts',
        from: '({ c1: 1 - beta1 ** t, c2: 1 - beta2 ** t })',
        to: '({ c1: 1 + 0 * beta1 * t, c2: 1 + 0 * beta2 })',
      },
    ],
  },
  {
    name: 'gradient kept by reference',
    edits: [
      {
        file: 'update.ts',
        from: 'for (const i of positions) {\n    group.steps[i] = t',
        to: `for (const [k, i] of positions.entries()) {
          group.steps[i] = t
          const { previousGradient } = group.state as Record<string, T[]>
          if (previousGradient) previousGradient[i] = gradients[k]`,
      },
    ],
  },
  {
    name: 'decay decoupled ↔ L2',
    edits: [
      {
        file: 'rule-kernels.ts',
        from: "'none' : hyperparameters.decay",
        to: "'none' : hyperparameters.decay === 'l2' ? 'decoupled' : 'l2'",
      },
    ],
  },
  {
    name: 'rectified from N ≥ 4',
    edits: [
      {
        file: 'rules/radam.ts',
        from: 'lengths(beta2, t).n >= 5',
        to: 'lengths(beta2, t).n > 4',
      },
    ],
  },
  {
    name: 'Lookahead counts all updates',
    edits: [
      {
        file: 'optimizer.ts',
        from: 'applyUpdate(this.#backend, update, this.#transforms)',
        to: 'applyUpdate(this.#backend, update, this.#transforms, this.#updates)',
      },
      {
        file: 'update.ts',
        from: '{ lookahead, ema }: Transforms,\n): void {\n  const { group,',
        to: '{ lookahead, ema }: Transforms,\n  updates: number,\n): void {\n  const { group,',
      },
      {
        file: 'update.ts',
        from: 't % lookahead.every === 0',
        to: '(updates + 1) % lookahead.every === 0',
      },
    ],
  },
  {
    name: 'a cooldown counts failures',
    edits: [
      {
        file: 'schedules/schedule.ts',
        from: 'improves || cooldown > 0 ? 0',
        to: 'improves ? 0',
      },
    ],
  },
  {
    name: 'dampening at the first step',
    edits: [{ file: 'rules/sgd.ts', from: 't === 1 ? 1 : 1 - dampening', to: '1 - dampening' }],
  },
  {
    name: 'EMA warms up from the second update',
    edits: [{ file: 'transforms/ema.ts', from: '(t - 1) / warmup.gamma', to: 't / warmup.gamma' }],
  },
  {
    name: 'a group with another rule inherits the common options',
    edits: [{ file: 'group-options.ts', from: '[rule, changes] = [own, []]', to: 'rule = own' }],
  },
  {
    name: 'no centralization where there is clipping',
    edits: [
      {
        file: 'gradients.ts',
        from: 'if (centralize) {',
        to: 'if (centralize && !clip) {',
      },
    ],
  },
  {
    name: 'schedules are constant',
    edits: [
      {
        file: 'options.ts',
        from: 'scheduleValue(value, step)',
        to: 'scheduleValue(value, 0 * step)',
      },
    ],
  },
  {
    name: 'ξ enters s',
    edits: [
      {
        file: 'rules/diffmod.ts',
        from: 'return { step: mul(eta, mul(xi, m)), m, v, s,',
        to: 'return { step: mul(eta, mul(xi, m)), m, v, s: mul(xi, s),',
      },
    ],
  },
  {
    name: 'the product of momenta has the momentum of a step twice, as in PyTorch 1.13',
    edits: [
      {
        file: 'rules/nadam.ts',
        from: '(1 - momentumProduct * next)',
        to: '(1 - momentumProduct * momentum * next)',
      },
    ],
  },
  {
    name: 'the product of momenta from β₁ and t alone',
    edits: [
      {
        file: 'rules/nadam.ts',
        from: 'momentumProduct: momentumProduct * momentumAt(hyperparameters, t),',
        to: `momentumProduct:
        Array.from({ length: t }, (_, k) => momentumAt(hyperparameters, k + 1)).reduce((a, b) => a * b),`,
      },
    ],
  },
  {
    name: 'the scalar state is not loaded',
    edits: [
      {
        file: 'load-state.ts',
        from: 'group.scalars[position] = scalars',
        to: 'void scalars',
      },
    ],
  },
  {
    name: 'the scaled gradient enters v',
    edits: [
      {
        file: 'rules/diffgradnorm.ts',
        from: 'averageSquare, square(g)',
        to: 'averageSquare, square(s)',
      },
    ],
  },
  {
    name: 'a norm of zero divides',
    edits: [
      {
        file: 'rules/diffgradnorm.ts',
        from: 'add(norm, sub(one, sign(norm)))',
        to: 'norm',
      },
    ],
  },
  {
    name: 'sums without L2 decay',
    edits: [
      {
        file: 'rule-kernels.ts',
        from: 'one.evaluate(arithmetic, withDecay(arithmetic, values, c), c, variant)',
        to: 'one.evaluate(arithmetic, c === undefined ? withDecay(arithmetic, values, c) : values, c, variant)',
      },
    ],
  },
  {
    name: 'sums of the first parameter for all',
    edits: [{ file: 'update.ts', from: '[name, values[k]]', to: '[name, values[0 * k]]' }],
  },
  {
    name: 'AdaBelief compares g with the old m',
    edits: [{ file: 'rules/adabelief.ts', from: 'sub(g, m)', to: 'sub(g, averageG)' }],
  },
  {
    name: 'AdaBelief without ε in s',
    edits: [{ file: 'rules/adabelief.ts', from: 'add(average, c.epsilon)', to: 'average' }],
  },
  {
    name: 'Lion takes the sign of the next m',
    edits: [
      {
        file: 'rules/lion.ts',
        from: 'm, g, c.beta1, c.oneMinusBeta1',
        to: 'm, g, c.beta2, c.oneMinusBeta2',
      },
    ],
  },
  {
    name: 'the first change of Adan is the gradient',
    edits: [
      {
        file: 'rules/adan.ts',
        from: 't === 1',
        to: 't === 0',
      },
    ],
  },
  {
    name: 'Adan weighs the average change by 1 − β₂, as optax.scale_by_adan',
    edits: [
      {
        file: 'rules/adan.ts',
        from: '(learningRate * beta2 * rootC3) / c2',
        to: '(learningRate * (1 - beta2) * rootC3) / c2',
      },
      {
        file: 'rules/adan.ts',
        from: 'first ? 0 : beta2',
        to: 'first ? 0 : 1 - beta2',
      },
    ],
  },
  {
    name: 'proximal decay before the step',
    edits: [
      {
        file: 'rule-kernels.ts',
        from: "decay === 'decoupled' && !isInside ? shrink(theta) : theta",
        to: "decay === 'decoupled' || decay === 'proximal' ? shrink(theta) : theta",
      },
      {
        file: 'rule-kernels.ts',
        from: "decay === 'proximal' ? shrink(moved) : moved",
        to: 'moved',
      },
    ],
  },
  {
    name: 'LAMB without weight decay in the norm of the direction',
    edits: [
      {
        file: 'rules/lamb.ts',
        from: 'arithmetic.square(direction(arithmetic, inputs, c).u)',
        to: 'arithmetic.square(arithmetic.sub(direction(arithmetic, inputs, c).u, arithmetic.mul(c.lambda, inputs.theta)))',
      },
    ],
  },
  {
    name: 'LAMB does not leave zero',
    edits: [
      {
        file: 'rules/lamb.ts',
        from: 'mul(sign(sums.squaredParameter), sign(sums.squaredDirection))',
        to: 'sign(sums.squaredDirection)',
      },
    ],
  },
  {
    name: 'AngularGrad keeps the smallest angle so far',
    edits: [
      {
        file: 'rules/angulargrad.ts',
        from: 'previousTangent: tangent',
        to: 'previousTangent: smaller',
      },
    ],
  },
  {
    name: 'a cautious step is not scaled',
    edits: [
      {
        file: 'transforms/cautious.ts',
        from: 'div(constant(1), max(share, constant(smallestShare)))',
        to: 'constant(1)',
      },
    ],
  },
  {
    name: 'a cautious step compares the sign of a product, which underflows',
    edits: [
      {
        file: 'transforms/cautious.ts',
        from: 'mul(sign(step), sign(g))',
        to: 'sign(mul(step, g))',
      },
    ],
  },
  {
    name: 'AdEMAMix divides the slow average by c₁, as kozistr/pytorch_optimizer',
    edits: [
      {
        file: 'rules/ademamix.ts',
        from: 'slowStep: stepSize * mix',
        to: 'slowStep: (stepSize * mix) / c1',
      },
    ],
  },
  {
    name: 'β₃ of AdEMAMix rises in a straight line',
    edits: [
      {
        file: 'rules/ademamix.ts',
        from: 'Math.exp(1 / ((1 - share) / Math.log(beta1) + share / Math.log(beta3)))',
        to: '(1 - share) * beta1 + share * beta3',
      },
    ],
  },
  {
    name: 'ADOPT divides by the v of the same step',
    edits: [
      {
        file: 'rules/adopt.ts',
        from: 'sqrt(averageSquare)',
        to: 'sqrt(movingAverage(arithmetic, averageSquare, square(g), c.beta2, c.oneMinusBeta2))',
      },
    ],
  },
  {
    name: 'ADOPT clips to t^¼, with t from 1',
    edits: [{ file: 'rules/adopt.ts', from: '(t - 1) ** 0.25', to: 't ** 0.25' }],
  },
  {
    name: 'ADOPT without clipping, as its first version',
    edits: [
      {
        file: 'rules/adopt.ts',
        from: 'max(c.minusBound, min(c.bound, normalized))',
        to: 'normalized',
      },
    ],
  },
  {
    name: 'ADOPT decays at its first step',
    edits: [
      {
        file: 'rules/adopt.ts',
        from: 'step: undefined',
        to: 'step: mul(c.learningRate, average)',
      },
    ],
  },
  {
    name: 'flush threshold absolute',
    backends: /WebAssembly/,
    edits: [
      {
        package: 'kernels',
        file: 'wasm/flush.ts',
        from: 'simdTypes[dtype].smallestNormal / beta ** flushInterval',
        to: "2 ** (dtype === 'float32' ? -100 : -900) + 0 * beta",
      },
    ],
  },
  {
    name: 'schedules that are set later count all updates',
    edits: [
      {
        file: 'options.ts',
        from: 'schedule.startStep ?? step',
        to: 'schedule.startStep ?? 0 * step',
      },
    ],
  },
  {
    name: 'transforms of a state are ignored',
    edits: [
      {
        file: 'load-state.ts',
        from: "mode === 'same' ? differingTransforms(saved, transforms) : []",
        to: "mode === 'same' ? differingTransforms(saved, saved) : []",
      },
    ],
  },
]
