import type { Graph } from '@diffgrad/core'
import { type Dialect, decimal, formula } from './formula.ts'

/** A program of the webgl backend, which computes one array. */
export interface GlslProgram {
  /** The array that it computes. */
  readonly output: string
  /** The arrays that it reads, in the order of its inputs `A0`, `A1`, … */
  readonly reads: readonly string[]
  /** The coefficients that it takes, as its uniforms `c0`, `c1`, … by their position in the graph. */
  readonly coefficients: readonly { readonly uniform: string; readonly name: string }[]
  readonly source: string
}

/**
 * A graph as programs for the webgl backend, one for each array that is not only passed on.
 *
 * @param packed - whether a texel holds two rows and two columns of a matrix, all of which are computed
 * at once. Those beyond its edges must be zeros.
 */
export function glsl(graph: Graph, packed: boolean): readonly GlslProgram[] {
  const type = packed ? 'vec4' : 'float'
  const dialect: Dialect = {
    literal: (value) => `${type}(${decimal(value)})`,
    array: (index) => `x${index}`,
    coefficient: (index) => `${type}(c${index})`,
    declare: (name, text) => `${type} ${name} = ${text};`,
  }
  return graph.outputs.flatMap(([output, node]) => {
    if (node.op === 'array') return []
    const { lines, name, arrays, coefficients } = formula(graph, [node], dialect)
    const loads = arrays.map((index, i) => dialect.declare(`x${index}`, `getA${i}AtOutCoords()`))
    const source = `${functions}
      void main() {
        ${[...loads, ...lines].join('\n        ')}
        ${packed ? storePacked(name(node)) : `setOutput(${name(node)});`}
      }`
    const uniforms = coefficients.map((i) => ({ uniform: `c${i}`, name: graph.coefficients[i] }))
    const reads = arrays.map((index) => graph.arrays[index])
    return [{ output, reads, coefficients: uniforms, source }]
  })
}

/** NaN in gives NaN out. */
const functions = `
      float smaller(float a, float b) { return isnan(a) || a < b ? a : b; }
      float larger(float a, float b) { return isnan(a) || a > b ? a : b; }
      vec4 smaller(vec4 a, vec4 b) {
        return vec4(smaller(a.x, b.x), smaller(a.y, b.y), smaller(a.z, b.z), smaller(a.w, b.w));
      }
      vec4 larger(vec4 a, vec4 b) {
        return vec4(larger(a.x, b.x), larger(a.y, b.y), larger(a.z, b.z), larger(a.w, b.w));
      }`

const storePacked = (result: string): string => `vec4 all = ${result};
        ivec3 at = getOutputCoords();
        bool right = at.z + 1 < outShape.z;
        bool below = at.y + 1 < outShape.y;
        setOutput(vec4(
          all.x, right ? all.y : 0.0, below ? all.z : 0.0, right && below ? all.w : 0.0));`
