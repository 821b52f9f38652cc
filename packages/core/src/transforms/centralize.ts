/**
 * Gradient centralization over plain arrays, in place: subtracts from each row of a row-major matrix its
 * mean. The rows of a tensor are its slices along the first axis.
 *
 * @see Yong et al., "Gradient Centralization", arXiv:2004.01461.
 */
export function centralizeRows(
  elements: { readonly length: number; [index: number]: number },
  rows: number,
): void {
  const size = elements.length / rows
  for (let start = 0; start < elements.length; start += size) {
    let sum = 0
    for (let i = start; i < start + size; i++) sum += elements[i]
    const mean = sum / size
    for (let i = start; i < start + size; i++) elements[i] -= mean
  }
}
