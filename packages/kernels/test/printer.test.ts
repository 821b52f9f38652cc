import { allRules, defineKernel, numbers, ruleKernels, trace } from '@diffgrad/core'
import { expectClose } from '@diffgrad/testing/tolerance'
import { describe, expect, test } from 'vitest'
import { type GeneratedKernel, glsl, javascript, wgsl } from '../src/index.ts'

/** b ← min(a, c)·a + σ(a), for names that are keywords of a shading language. */
const keywords = defineKernel({
  name: 'keywords',
  reads: ['float', 'b'],
  writes: ['b', 'copy'],
  coefficients: ['unused', 'var'],
  evaluate: ({ add, mul, min, sigmoid }, { float }, c) => ({
    b: add(mul(min(float, c.var), float), sigmoid(float)),
    copy: float,
  }),
})

test.each(allRules)('the JavaScript of $name computes what its equations say', (rule) => {
  const variant = rule.variant?.(rule.defaults, 1000) ?? {}
  const { update } = ruleKernels(rule, rule.defaults, { variant, decay: 'l2' })
  const graph = trace(update)
  const compute: GeneratedKernel = new Function(`return ${javascript(graph)}`)()
  const coefficients = Object.fromEntries(graph.coefficients.map((name, i) => [name, 0.1 + i / 7]))
  const values = Object.fromEntries(graph.arrays.map((name, i) => [name, 0.3 + i / 3]))
  const arrays = graph.arrays.map((name) => Float64Array.of(values[name]))
  compute(1, arrays, Object.values(coefficients))
  const expected: Readonly<Record<string, number>> = update.evaluate(numbers, values, coefficients)
  for (const name of update.writes) {
    expectClose(arrays[graph.arrays.indexOf(name)], [expected[name]], { relative: 1e-15 })
  }
})

describe('GLSL', () => {
  test('is one program for each array that is no copy, with inputs and uniforms by position', () => {
    const [program, ...others] = glsl(trace(keywords), false)
    expect(others).toEqual([])
    expect(program).toMatchObject({
      output: 'b',
      reads: ['float'],
      coefficients: [{ uniform: 'c1', name: 'var' }],
    })
    expect(program.source).toContain(`void main() {
        float x0 = getA0AtOutCoords();
        float t1 = minimum(x0, float(c1));
        float t2 = (t1 * x0);
        float t3 = (float(1.0) / (float(1.0) + exp(min(-x0, float(88.0)))));
        float t4 = (t2 + t3);
        setOutput(t4);
      }`)
  })

  test('computes four elements at once in packed textures, and zeros beyond the edges', () => {
    const [{ source }] = glsl(trace(keywords), true)
    expect(source).toContain('vec4 x0 = getA0AtOutCoords();')
    expect(source).toContain('right && below ? all.w : 0.0')
  })
})

describe('WGSL', () => {
  test('binds old and new elements apart, unless an array is overwritten', () => {
    const apart = wgsl(trace(keywords), new Set())
    expect(apart.bindings).toEqual([
      { array: 'float', as: 'before' },
      { array: 'b', as: 'after' },
      { array: 'copy', as: 'after' },
    ])
    expect(apart.coefficients).toEqual(['var'])
    expect(apart.source).toContain('@group(0) @binding(3) var<uniform> c: Coefficients;')
    expect(apart.source).toContain(`if (i >= arrayLength(&b1)) { return; }
  let x0 = b0[i];
  let t1 = minimum(x0, c.c1);
  let t2 = (t1 * x0);
  let t3 = (1.0 / (1.0 + exp(min(-x0, 88.0))));
  let t4 = (t2 + t3);
  b1[i] = t4;
  b2[i] = x0;`)
    const inPlace = wgsl(trace(keywords), new Set(['b']))
    expect(inPlace.bindings[1]).toEqual({ array: 'b', as: 'in place' })
  })
})
