import type { Inspection, Optimizer, StateDict, StepOutcome, UpdateRule } from '@diffgrad/core'

/** Plain numbers by parameter name: gradients or values. */
export type NamedNumbers = Readonly<Record<string, ArrayLike<number>>>

/** The initial values of a parameter, row-major, and its shape. */
export interface InitialParameter {
  readonly values: readonly number[]
  readonly shape: readonly number[]
}

/** Options without a type, as JavaScript passes them. */
export type UntypedOptions = Readonly<Record<string, unknown>>

/** The parameters and options of an optimizer to create. */
export interface OptimizerSpec {
  readonly dtype: 'float32' | 'float64'
  readonly parameters: Readonly<Record<string, InitialParameter>>
  readonly options?: UntypedOptions
  /** Whether all gradients of a parameter are passed in one buffer, overwritten before each step. */
  readonly reuseBuffer?: boolean
}

/** An optimizer with its parameters, driven with plain numbers. */
export interface TestRun {
  readonly optimizer: Pick<Optimizer<never>, 'loadStateDict' | 'report' | 'set' | 'swapAverage'> & {
    stateDict(): StateDict | Promise<StateDict>
  }
  step(gradients: NamedNumbers): StepOutcome | Promise<StepOutcome>
  inspect(gradients: NamedNumbers): Inspection | Promise<Inspection>
  /** Overwrites the named parameters, as loading a model does. */
  setParameters(values: NamedNumbers): void | Promise<void>
  /** The current values of all parameters. */
  parameters(): Readonly<Record<string, number[]>> | Promise<Readonly<Record<string, number[]>>>
}

/** A backend that must obey every law. */
export interface BackendUnderTest {
  readonly name: string
  readonly dtypes: readonly OptimizerSpec['dtype'][]
  /** Options that the backend refuses because it cannot provide them; none by default. */
  readonly unsupported?: readonly 'skipNotFinite'[]
  /** Creates an optimizer of a shipped rule or of any other. */
  create(rule: UpdateRule, spec: OptimizerSpec): TestRun
}

/** A conformance rule: a fact that holds for every optimizer on every backend. */
export interface Law {
  readonly name: string
  /** Throws if the law does not hold. */
  check(backend: BackendUnderTest): Promise<void>
}
