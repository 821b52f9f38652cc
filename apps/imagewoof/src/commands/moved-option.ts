import { Option } from 'commander'

/** Where the data of a run is now. */
export const movedOption = (): Option =>
  new Option('--data <source>', 'where the data is now, if it was moved')
