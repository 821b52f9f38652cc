import type { Inspection, Optimizer, StateDict, StepOutcome, UpdateRule } from '@diffgrad/core'

/** Gradients as plain numbers, by parameter name. */
export type NumericGradients = Readonly<Record<string, ArrayLike<number>>>

/** A parameter to start with. */
export interface Start {
  readonly values: readonly number[]
  readonly shape: readonly number[]
}

/** Options by name, as a user of JavaScript gives them. */
export type LooseOptions = Readonly<Record<string, unknown>>

/** What a backend is asked to train. */
export interface Setup {
  readonly dtype: 'float32' | 'float64'
  readonly parameters: Readonly<Record<string, Start>>
  readonly options?: LooseOptions
  /** Whether all gradients of a parameter go through one buffer, filled anew for every step. */
  readonly refill?: boolean
}

/** One optimizer at work. */
export interface Session {
  /** Its state and settings. */
  readonly optimizer: Pick<Optimizer<never>, 'loadStateDict' | 'report' | 'swapEma'> & {
    stateDict(): StateDict | Promise<StateDict>
  }
  step(gradients: NumericGradients): StepOutcome | Promise<StepOutcome>
  inspect(gradients: NumericGradients): Inspection | Promise<Inspection>
  /** Overwrites parameters, as loading a model does. */
  place(values: NumericGradients): void | Promise<void>
  /** Where the parameters are. */
  parameters(): Readonly<Record<string, number[]>> | Promise<Readonly<Record<string, number[]>>>
}

/** A backend under test. */
export interface Subject {
  readonly name: string
  readonly dtypes: readonly Setup['dtype'][]
  /** What it refuses to do, because it cannot. Nothing, unless it says so. */
  readonly lacks?: readonly 'skipNotFinite'[]
  /** Starts an optimizer with one of the shipped rules, or any other. */
  create(rule: UpdateRule, setup: Setup): Session
}

/** A fact about every optimizer on every backend. `check` throws if it does not hold. */
export interface Law {
  readonly name: string
  check(subject: Subject): Promise<void>
}
