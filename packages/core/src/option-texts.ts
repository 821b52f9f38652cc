import type { OptionText } from './ranges.ts'
import type { UpdateRule } from './rule.ts'

// Apart from the ranges of these options, so that programs without forms do not load it.

/** The texts of the options that most rules have. */
const textsByName: Readonly<Record<string, OptionText>> = {
  learningRate: { symbol: 'α', description: 'learning rate' },
  weightDecay: { symbol: 'λ', description: 'weight decay' },
  decay: {
    description: 'kind of weight decay',
    labels: { l2: 'L2 decay', decoupled: 'decoupled decay' },
  },
  beta1: { symbol: 'β₁', description: 'decay rate of the average gradient' },
  beta2: { symbol: 'β₂', description: 'decay rate of the average square' },
  epsilon: { symbol: 'ε', description: 'small number in the denominator' },
}

/** What an option of a rule is: the rule's own text, or else the common one of that name, if there is any. */
export function optionTextOf(
  { ranges = {} }: Pick<UpdateRule, 'ranges'>,
  option: string,
): OptionText {
  const own: OptionText | undefined = ranges[option]
  return (own?.description === undefined ? textsByName[option] : own) ?? {}
}
