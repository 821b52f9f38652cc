import type { Hyperparameters, OptimizerOptions, StateDict, UpdateRule } from '@diffgrad/core'
import type {
  BackendUnderTest,
  NamedNumbers,
  OptimizerSpec,
  TestRun,
  UntypedOptions,
} from '@diffgrad/testing/conformance'
import { dispose, tensor, variable } from '@tensorflow/tfjs-core'
import {
  AdaMod,
  Adam,
  AdamW,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  RAdam,
  Ranger,
  RuleOptimizer,
  SGD,
} from '../src/index.ts'

/** The shipped classes, by the names of their rules. */
export const classes: Readonly<
  Record<string, new (options?: OptimizerOptions<Hyperparameters>) => RuleOptimizer>
> = { SGD, Adam, AdamW, RAdam, AdaMod, Ranger, diffGrad: DiffGrad, DiffRGrad, DiffMod }

/** The class that ships for a rule, or the general one for any other rule. */
const start = (rule: UpdateRule, options: OptimizerOptions<Hyperparameters>): RuleOptimizer => {
  const Shipped = classes[rule.name]
  return Shipped ? new Shipped(options) : new RuleOptimizer(rule, options)
}

/** A backend of TensorFlow.js under test. */
export interface TensorSubject extends BackendUnderTest {
  /** Disposes of all variables and optimizers that sessions have made. */
  clear(): void
}

/** Variables of TensorFlow.js, on the current backend. They hold float32, whatever is asked for. */
export function subject(name: string): TensorSubject {
  const made: { dispose(): void }[] = []
  let sessions = 0
  const create = (rule: UpdateRule, setup: OptimizerSpec): TestRun => {
    const suffix = `_${++sessions}` // Variables of all sessions need names of their own.
    const variables = Object.entries(setup.parameters).map(([key, { values, shape }]) => {
      const initial = tensor(Float32Array.from(values), [...shape])
      const own = variable(initial, true, key + suffix)
      initial.dispose()
      return [key, own] as const
    })
    const optimizer = start(rule, suffixed(setup.options ?? {}, suffix))
    optimizer.bind(variables.map(([, own]) => own))
    made.push(optimizer, ...variables.map(([, own]) => own))

    const buffers = new Map<string, Float32Array>()
    const filled = (key: string, elements: ArrayLike<number>): Float32Array => {
      const buffer = (setup.reuseBuffer && buffers.get(key)) || new Float32Array(elements.length)
      buffers.set(key, buffer)
      buffer.set(elements)
      return buffer
    }
    const tensors = (gradients: NamedNumbers) =>
      Object.entries(gradients).map(([key, g]) => {
        return {
          name: key + suffix,
          tensor: tensor(filled(key, g), [...setup.parameters[key].shape]),
        }
      })
    const withGradients = async <R>(
      gradients: NamedNumbers,
      use: (given: ReturnType<typeof tensors>) => R,
    ): Promise<R> => {
      const given = tensors(gradients)
      try {
        return use(given)
      } finally {
        dispose(given.map(({ tensor }) => tensor))
      }
    }
    return {
      optimizer: {
        report: (loss) => optimizer.report(loss),
        swapEma: () => optimizer.swapEma(),
        loadStateDict: (state) => optimizer.loadStateDict(state),
        async stateDict(): Promise<StateDict> {
          const state = await optimizer.stateDict()
          return { ...state, parameters: stripped(state.parameters, suffix) }
        },
      },
      step: (gradients) => withGradients(gradients, (given) => optimizer.applyGradients(given)),
      async inspect(gradients) {
        const shown = await withGradients(gradients, (given) => optimizer.inspect(given))
        const entries = Object.entries(shown).map(([key, values]) => [
          key,
          stripped(values, suffix),
        ])
        return Object.fromEntries(entries)
      },
      setParameters(values) {
        for (const [key, own] of variables) {
          if (!values[key]) continue
          const placed = tensor(Float32Array.from(values[key]), own.shape)
          own.assign(placed)
          placed.dispose()
        }
      },
      async parameters() {
        const read = variables.map(async ([key, own]) => [key, Array.from(await own.data())])
        return Object.fromEntries(await Promise.all(read))
      },
    }
  }
  const clear = (): void => {
    for (const one of made.splice(0)) one.dispose()
  }
  const unsupported = name === 'webgpu' ? (['skipNotFinite'] as const) : []
  return { name, dtypes: ['float32'], unsupported, create, clear }
}

/** Options in which listed names are those of a session's variables. */
function suffixed(options: UntypedOptions, suffix: string): OptimizerOptions<Hyperparameters> {
  const groups = Array.isArray(options.groups) ? options.groups : []
  const own = groups.map(({ parameters, ...settings }) => ({
    ...settings,
    parameters: Array.isArray(parameters)
      ? parameters.map((key: string) => key + suffix)
      : parameters,
  }))
  return { ...options, groups: own } as OptimizerOptions<Hyperparameters> // Checked by the optimizer.
}

/** The same by the session's own names. */
const stripped = <V>(named: Readonly<Record<string, V>>, suffix: string): Record<string, V> =>
  Object.fromEntries(Object.entries(named).map(([name, v]) => [name.slice(0, -suffix.length), v]))
