import { field, type OptionValue } from './field.ts'
import { optionOf, type Racer } from './racer.ts'

/** How options are written beside a name. */
const marks: Readonly<Record<string, (value: OptionValue) => string>> = {
  learningRate: (value) => `α ${value}`,
  beta1: (value) => `β₁ ${value}`,
  beta2: (value) => `β₂ ${value}`,
  epsilon: (value) => `ε ${value}`,
  weightDecay: (value) => `λ ${value}`,
  momentum: (value) => `μ ${value}`,
  decay: (value) => `${value} decay`,
  version: (value) => `version ${value}`,
  aliased: (value) => (value ? 'original' : 'fixed'),
  amsgrad: (value) => (value ? 'AMSGrad' : 'no AMSGrad'),
  nesterov: (value) => (value ? 'Nesterov' : 'no Nesterov'),
  memoryLength: (value) => `memory ${value}`,
  averageStep: (value) => (value ? 'averaged step' : 'smaller step'),
  degenerateToSgd: (value) => (value ? 'momentum first' : 'waits first'),
}

/**
 * What to call each racer: its name, and those of its options in which racers differ that have them.
 */
export function labelsOf(racers: readonly Racer[]): readonly string[] {
  return racers.map((racer) => {
    const { title, defaults } = field[racer.name]
    const others = racers.filter(({ name }) => name === racer.name)
    const telling = Object.keys(defaults).filter((option) => {
      const compared = option === 'learningRate' ? racers : others
      const values = compared.map((other) => optionOf(other, option))
      return new Set(values.filter((value) => value !== undefined)).size > 1
    })
    const parts = telling.map((option) => marks[option]?.(optionOf(racer, option) ?? '') ?? option)
    if (racers.some(({ lossScale }) => lossScale !== racer.lossScale)) {
      parts.push(`loss × ${racer.lossScale}`)
    }
    return [title, ...parts].join(' · ')
  })
}
