import type { Model } from '@diffgrad/onnx'

/**
 * The inputs that hold classes, and how many classes there are: a class beyond would count as none,
 * without a word.
 */
export function classInputs({ nodes, initializers }: Model): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { operator, inputs } of nodes) {
    const depth = initializers.get(inputs[1] ?? '')
    if (operator !== 'OneHot' || depth === undefined || depth.type === 'opaque') continue
    found.set(inputs[0], Number(depth.data[0]))
  }
  return found
}
