import { Option } from 'commander'

/** Which of a run's checkpoints. */
export const checkpointOption = (): Option =>
  new Option('--checkpoint <which>', 'which checkpoint').choices(['best', 'last']).default('best')
