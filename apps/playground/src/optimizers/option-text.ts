import { type OptimizerConfig, optionValue } from './config.ts'
import { type OptionValue, optimizers } from './registry.ts'

/** How one option is shown. */
interface OptionText {
  /** The label of its form control. */
  readonly title: string
  /** The titles of its values, if it is chosen from a list. */
  readonly choices?: Readonly<Record<string, string>>
  /** A value beside the name of an optimizer. */
  label(value: OptionValue): string
}

const optionTexts: Readonly<Record<string, OptionText>> = {
  learningRate: { title: 'α learning rate', label: (value) => `α ${value}` },
  weightDecay: { title: 'λ weight decay', label: (value) => `λ ${value}` },
  decay: {
    title: 'kind of decay',
    choices: { l2: 'L2', decoupled: 'decoupled' },
    label: (value) => `${value} decay`,
  },
  beta1: { title: 'β₁', label: (value) => `β₁ ${value}` },
  beta2: { title: 'β₂', label: (value) => `β₂ ${value}` },
  epsilon: { title: 'ε', label: (value) => `ε ${value}` },
  version: {
    title: 'version of ξ',
    choices: { 0: '0 · the paper’s', 1: '1 · signed', 2: '2 · up to 5' },
    label: (value) => `version ${value}`,
  },
  aliased: {
    title: 'the original’s fault (aliased: ξ = ½)',
    label: (value) => (value ? 'original' : 'fixed'),
  },
  amsgrad: { title: 'AMSGrad', label: (value) => (value ? 'AMSGrad' : 'no AMSGrad') },
  momentum: { title: 'μ momentum', label: (value) => `μ ${value}` },
  nesterov: { title: 'Nesterov', label: (value) => (value ? 'Nesterov' : 'no Nesterov') },
  momentumDecay: { title: 'ψ rise of the momentum', label: (value) => `ψ ${value}` },
  normDecay: { title: 'γ average of norms', label: (value) => `γ ${value}` },
  memoryLength: { title: 'memory length', label: (value) => `memory ${value}` },
  averageStep: {
    title: 'average the step with its bound',
    label: (value) => (value ? 'averaged step' : 'smaller step'),
  },
  degenerateToSgd: {
    title: 'momentum before the variance is known',
    label: (value) => (value ? 'momentum first' : 'waits first'),
  },
}

/** How an option is shown; its plain name if it has no text here. */
export const optionText = (option: string): OptionText =>
  Object.hasOwn(optionTexts, option)
    ? optionTexts[option]
    : { title: option, label: (value) => `${option} ${value}` }

/** Labels optimizers by their titles, and by the options in which they differ. */
export function optimizerLabels(configs: readonly OptimizerConfig[]): readonly string[] {
  return configs.map((config) => {
    const { title, defaults } = optimizers[config.name]
    const sameName = configs.filter(({ name }) => name === config.name)
    const differing = Object.keys(defaults).filter((option) => {
      const compared = option === 'learningRate' ? configs : sameName
      const values = compared.map((other) => optionValue(other, option))
      return new Set(values.filter((value) => value !== undefined)).size > 1
    })
    const parts = differing.map((option) =>
      optionText(option).label(optionValue(config, option) ?? ''),
    )
    if (configs.some(({ lossScale }) => lossScale !== config.lossScale)) {
      parts.push(`loss × ${config.lossScale}`)
    }
    return [title, ...parts].join(' · ')
  })
}
