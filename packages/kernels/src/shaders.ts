import type { Expression, Graph } from '@diffgrad/core'
import { dependencies, glslDialect, print, wgslDialect } from './printer.ts'

/** A program of TensorFlow.js's webgl backend, which computes one array. */
export interface GlslProgram {
  /** The array that it computes. */
  readonly output: string
  /** The arrays that it reads, in the order of its inputs `A0`, `A1`, … */
  readonly reads: readonly string[]
  /** The coefficients that it reads, and the uniforms that hold them. */
  readonly coefficients: readonly { readonly uniform: string; readonly name: string }[]
  readonly source: string
}

/**
 * Prints a graph as programs for the webgl backend of TensorFlow.js, one for each array that is not a
 * copy of another array.
 *
 * @param packed - whether a texel holds two rows and two columns of a matrix, computed as one vec4.
 * Elements beyond the matrix's edges are zeros.
 */
export function glsl(graph: Graph, packed: boolean): readonly GlslProgram[] {
  const type = packed ? 'vec4' : 'float'
  return graph.outputs.flatMap(([output, node]) => {
    if (node.op === 'array') return []
    const { arrays: reads, coefficients } = inputsOf(graph, [node])
    const { statements, text } = print(graph, [node], glslDialect(type), {
      load: (array) => [variableOf(graph, array), `getA${reads.indexOf(array)}AtOutCoords()`],
      coefficient: (name) => `${type}(${uniformOf(graph, name)})`,
    })
    const source = `${glslFunctions}
      void main() {
        ${statements.join('\n        ')}
        ${packed ? storePacked(text(node)) : `setOutput(${text(node)});`}
      }`
    const uniforms = coefficients.map((name) => ({ uniform: uniformOf(graph, name), name }))
    return [{ output, reads, coefficients: uniforms, source }]
  })
}

/** `minimum` and `maximum` return NaN if either operand is NaN, and `signum` if its operand is. */
const glslFunctions = `
      float minimum(float a, float b) { return isnan(a) || a < b ? a : b; }
      float maximum(float a, float b) { return isnan(a) || a > b ? a : b; }
      vec4 minimum(vec4 a, vec4 b) {
        return vec4(minimum(a.x, b.x), minimum(a.y, b.y), minimum(a.z, b.z), minimum(a.w, b.w));
      }
      vec4 maximum(vec4 a, vec4 b) {
        return vec4(maximum(a.x, b.x), maximum(a.y, b.y), maximum(a.z, b.z), maximum(a.w, b.w));
      }
      float signum(float a) { return a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : a; }
      vec4 signum(vec4 a) { return vec4(signum(a.x), signum(a.y), signum(a.z), signum(a.w)); }`

const storePacked = (result: string): string => `vec4 all = ${result};
        ivec3 at = getOutputCoords();
        bool right = at.z + 1 < outShape.z;
        bool below = at.y + 1 < outShape.y;
        setOutput(vec4(
          all.x, right ? all.y : 0.0, below ? all.z : 0.0, right && below ? all.w : 0.0));`

/** How many elements one workgroup of a WGSL program computes. */
export const workgroupSize = 64

/** A storage buffer of a WGSL program. */
export interface WgslBinding {
  readonly array: string
  /** `before` holds the old elements, `after` takes the new ones, `in place` does both. */
  readonly as: 'before' | 'after' | 'in place'
}

/** A program for WebGPU, which computes all arrays of a graph. */
export interface WgslProgram {
  /** Storage buffers, in the order of their bindings. The uniform, if any, is the next binding. */
  readonly bindings: readonly WgslBinding[]
  /** The coefficients in the uniform, one float32 each. */
  readonly coefficients: readonly string[]
  readonly source: string
}

/**
 * Prints a graph as a program for WebGPU. It is dispatched with one workgroup for each `workgroupSize`
 * elements, along x and, beyond the device's limit, y.
 *
 * @param inPlace - the written arrays that are overwritten; others get their new elements in a buffer of
 * their own.
 */
export function wgsl(graph: Graph, inPlace: ReadonlySet<string>): WgslProgram {
  const results = graph.outputs.map(([, node]) => node)
  const { arrays: reads, coefficients } = inputsOf(graph, results)
  const bindings = graph.arrays.flatMap((array): WgslBinding[] => {
    if (inPlace.has(array)) return [{ array, as: 'in place' }]
    return [
      ...(reads.includes(array) ? [{ array, as: 'before' } as const] : []),
      ...(graph.writes.has(array) ? [{ array, as: 'after' } as const] : []),
    ]
  })
  const buffer = (array: string, as: WgslBinding['as']): string =>
    `b${bindings.findIndex((b) => b.array === array && (b.as === as || b.as === 'in place'))}`
  const { statements, text } = print(graph, results, wgslDialect, {
    load: (array) => [variableOf(graph, array), `${buffer(array, 'before')}[i]`],
    coefficient: (name) => `c.${uniformOf(graph, name)}`,
  })
  const declarations = bindings.map(({ as }, i) => {
    const access = as === 'before' ? 'read' : 'read_write'
    return `@group(0) @binding(${i}) var<storage, ${access}> b${i}: array<f32>;`
  })
  const members = coefficients.map((name) => `${uniformOf(graph, name)}: f32`).join(', ')
  const uniform = `struct Coefficients { ${members} };
@group(0) @binding(${bindings.length}) var<uniform> c: Coefficients;`
  const stores = graph.outputs.map(
    ([array, node]) => `${buffer(array, 'after')}[i] = ${text(node)};`,
  )
  const [first] = graph.outputs.map(([array]) => buffer(array, 'after'))
  const source = `${declarations.join('\n')}
${coefficients.length > 0 ? uniform : ''}
${wgslFunctions}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * ${workgroupSize}u + id.x;
  if (i >= arrayLength(&${first})) { return; }
  ${[...statements, ...stores].join('\n  ')}
}`
  return { bindings, coefficients, source }
}

/** As in GLSL. NaN is found by its bits, because a compiler may assume that no number is NaN. */
const wgslFunctions = `fn isNaN(a: f32) -> bool { return (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u; }
fn minimum(a: f32, b: f32) -> f32 { return select(b, a, isNaN(a) || a < b); }
fn maximum(a: f32, b: f32) -> f32 { return select(b, a, isNaN(a) || a > b); }
fn signum(a: f32) -> f32 { return select(select(a, -1.0, a < 0.0), 1.0, a > 0.0); }`

/** Names by position: a rule may call its arrays and coefficients anything, keywords included. */
const variableOf = ({ arrays }: Graph, array: string): string => `x${arrays.indexOf(array)}`
const uniformOf = ({ coefficients }: Graph, name: string): string =>
  `c${coefficients.indexOf(name)}`

/** The arrays and coefficients that some nodes are computed from. */
function inputsOf(
  graph: Graph,
  roots: readonly Expression[],
): { readonly arrays: readonly string[]; readonly coefficients: readonly string[] } {
  const nodes = dependencies(graph, roots)
  const named = (op: 'array' | 'coefficient'): readonly string[] =>
    nodes.flatMap((node) => (node.op === op ? [node.name] : []))
  return { arrays: named('array'), coefficients: named('coefficient') }
}
