import type { Graph } from '@diffgrad/core'
import { type Dialect, decimal, formula } from './formula.ts'

/** How many elements a workgroup takes. */
export const workgroupSize = 64

/** What a program is bound to: an array of its graph as it is, or its new elements. */
interface Binding {
  readonly array: string
  readonly as: 'before' | 'after' | 'in place'
}

/** A program for WebGPU, which computes all arrays of a graph. */
export interface WgslProgram {
  /** Storage buffers, in the order of their bindings; behind them, if any, comes the uniform. */
  readonly bindings: readonly Binding[]
  /** The coefficients in the uniform, one float32 each. */
  readonly coefficients: readonly string[]
  readonly source: string
}

/**
 * A graph as a program for WebGPU.
 *
 * @param inPlace - the written arrays that are overwritten; others get their new elements elsewhere.
 */
export function wgsl(graph: Graph, inPlace: ReadonlySet<string>): WgslProgram {
  const dialect: Dialect = {
    literal: decimal,
    array: (index) => `x${index}`,
    coefficient: (index) => `c.c${index}`,
    declare: (name, text) => `let ${name} = ${text};`,
  }
  const results = graph.outputs.map(([, node]) => node)
  const { lines, name, arrays, coefficients } = formula(graph, results, dialect)
  const written = new Set(graph.outputs.map(([array]) => array))
  const bindings = graph.arrays.flatMap((array, index): Binding[] => {
    if (inPlace.has(array)) return [{ array, as: 'in place' }]
    return [
      ...(arrays.includes(index) ? [{ array, as: 'before' } as const] : []),
      ...(written.has(array) ? [{ array, as: 'after' } as const] : []),
    ]
  })
  const buffer = (array: string, ...as: readonly Binding['as'][]): string =>
    `b${bindings.findIndex((binding) => binding.array === array && as.includes(binding.as))}`
  const declarations = bindings.map(({ as }, i) => {
    const access = as === 'before' ? 'read' : 'read_write'
    return `@group(0) @binding(${i}) var<storage, ${access}> b${i}: array<f32>;`
  })
  const uniform =
    coefficients.length > 0
      ? `struct Coefficients { ${coefficients.map((i) => `c${i}: f32`).join(', ')} };
@group(0) @binding(${bindings.length}) var<uniform> c: Coefficients;`
      : ''
  const loads = arrays.map((index) =>
    dialect.declare(`x${index}`, `${buffer(graph.arrays[index], 'before', 'in place')}[i]`),
  )
  const stores = graph.outputs.map(
    ([array, node]) => `${buffer(array, 'after', 'in place')}[i] = ${name(node)};`,
  )
  const [first] = graph.outputs.map(([array]) => buffer(array, 'after', 'in place'))
  const source = `${declarations.join('\n')}
${uniform}
${functions}
@compute @workgroup_size(${workgroupSize})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * ${workgroupSize}u + id.x;
  if (i >= arrayLength(&${first})) { return; }
  ${[...loads, ...lines, ...stores].join('\n  ')}
}`
  return { bindings, coefficients: coefficients.map((i) => graph.coefficients[i]), source }
}

/** NaN in gives NaN out. By its bits: a compiler may assume that no number is NaN. */
const functions = `fn isNaN(a: f32) -> bool { return (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u; }
fn smaller(a: f32, b: f32) -> f32 { return select(b, a, isNaN(a) || a < b); }
fn larger(a: f32, b: f32) -> f32 { return select(b, a, isNaN(a) || a > b); }`
