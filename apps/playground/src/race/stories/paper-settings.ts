/** Of the paper's experiments on F1, F2 and F3. */
export const paperSettings = { learningRate: 0.1, beta1: 0.95, beta2: 0.999 } as const
