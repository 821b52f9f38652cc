/** ImageNet's mean and deviation, of values from 0 to 1: what all pictures are normalized by. */
export const imageNet: {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
} = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }
