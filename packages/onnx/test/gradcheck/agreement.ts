import { Graph } from '../../src/ir/graph.ts'
import { toModel } from '../../src/ir/to-model.ts'
import type { Value } from '../../src/ir/value.ts'
import { placements } from '../../src/lowering/placements.ts'
import { trainMode } from '../../src/modes/train.ts'
import { applyOperator } from '../../src/ops/apply.ts'
import { relativeError } from '../closeness.ts'
import { type Case, floats, prepare } from './check.ts'

/** How far the gradients of an execution provider are from those of the CPU, at the worst of all inputs. */
export async function disagreement(one: Case, seed: number, provider: string): Promise<number> {
  const expected = await prepare(one, seed)
  const checked = await prepare(inPlainOperators(one), seed, provider)
  const wanted = checked.session.outputNames
  const right = await expected.run(expected.data, wanted)
  const found = await checked.run(checked.data, wanted)
  await expected.session.release()
  await checked.session.release()
  return Math.max(...wanted.map((name) => relativeError(floats(found, name), floats(right, name))))
}

/** The same case, placed as a model is for a provider that lacks operators. */
const inPlainOperators = (one: Case): Case => ({
  ...one,
  lowering: { ...one.lowering, operators: 'plain' },
  build(...x) {
    const [{ graph }] = x
    const inner = new Graph(graph.lowering)
    const y = one.build(...x.map(({ name, type, shape }) => inner.input(name, type, shape)))
    const { nodes, initializers } = toModel({ name: 'case', outputs: new Map([['y', y]]) })
    const values = new Map<string, Value | undefined>(x.map((value) => [value.name, value]))
    for (const [name, tensor] of initializers)
      if (tensor.type !== 'opaque') values.set(name, graph.initializer(name, tensor))
    for (const node of nodes) {
      const inputs = node.inputs.map((name) => values.get(name))
      const { operator, domain, attributes, outputs } = node
      const options = { domain, attributes, outputs: outputs.map((name) => graph.freshName(name)) }
      const forms = attributes.get('training_mode') ? trainMode([]).placements : placements
      const placed =
        forms.map((place) => place(graph, node, inputs)).find((outputs) => outputs) ??
        applyOperator(graph, operator, inputs, options).outputs
      for (const [i, name] of outputs.entries()) values.set(name, placed[i])
    }
    const result = values.get('y')
    if (!result) throw new TypeError('a case must have a result')
    return result
  },
})
