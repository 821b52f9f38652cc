import {
  AdaMod,
  Adam,
  AdamW,
  type ArraysOptimizer,
  type ArraysOptions,
  adaMod,
  adam,
  adamW,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  diffGrad,
  diffMod,
  diffRGrad,
  type Floats,
  type Hyperparameters,
  type ParameterSet,
  RAdam,
  Ranger,
  radam,
  ranger,
  SGD,
  sgd,
  type UpdateRule,
} from '@diffgrad/arrays'

/** The value of an option, as a control shows it. */
export type OptionValue = number | boolean | string

/** Options by name; what is not named stands at its default. */
export type Options = Readonly<Record<string, OptionValue>>

/** What the page needs of an optimizer. */
export type Runner = Pick<ArraysOptimizer, 'step' | 'inspect' | 'stateDict' | 'hyperparameters'>

/** An optimizer that can be chosen. */
export interface Entrant {
  /** What people call it. */
  readonly title: string
  readonly defaults: Options
  /** Its rule, for trainers; they check the options that come with it. */
  readonly rule: UpdateRule
  /**
   * Makes an optimizer of one parameter without further axes, called theta.
   *
   * @throws RangeError naming an option that is out of range.
   */
  create(theta: Floats, options: Options): Runner
}

function entrant<O extends Hyperparameters>(
  title: string,
  rule: UpdateRule<O>,
  Optimizer: new (parameters: ParameterSet, options?: ArraysOptions<O>) => ArraysOptimizer<O>,
): Entrant {
  return {
    title,
    // Whose options it has is not asked any more, here and below.
    rule: rule as unknown as UpdateRule,
    // Options without schedules are plain values.
    defaults: { ...rule.defaults } as unknown as Options,
    create(theta, options) {
      const parameters = { theta: { values: theta, shape: [theta.length] } }
      // The optimizer itself checks names and values.
      return new Optimizer(parameters, { ...options } as ArraysOptions<O>)
    },
  }
}

/** The name of an optimizer that can be chosen, as addresses use it. */
export type EntrantName =
  | 'diffgrad'
  | 'diffrgrad'
  | 'diffmod'
  | 'adam'
  | 'adamw'
  | 'radam'
  | 'adamod'
  | 'ranger'
  | 'sgd'

/** All optimizers that can be chosen. */
export const field: Readonly<Record<EntrantName, Entrant>> = {
  diffgrad: entrant('diffGrad', diffGrad, DiffGrad),
  diffrgrad: entrant('DiffRGrad', diffRGrad, DiffRGrad),
  diffmod: entrant('DiffMod', diffMod, DiffMod),
  adam: entrant('Adam', adam, Adam),
  adamw: entrant('AdamW', adamW, AdamW),
  radam: entrant('RAdam', radam, RAdam),
  adamod: entrant('AdaMod', adaMod, AdaMod),
  ranger: entrant('Ranger', ranger, Ranger),
  sgd: entrant('SGD', sgd, SGD),
}

export const isEntrant = (name: string): name is EntrantName => Object.hasOwn(field, name)
