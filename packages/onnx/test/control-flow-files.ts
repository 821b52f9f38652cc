import { create, toBinary } from '@bufbuild/protobuf'
import { writeAttribute } from '../src/model/attribute.ts'
import { GraphProtoSchema } from '../src/model/onnx_pb.ts'
import { file, type GraphFields } from './model-file.ts'

const branch = (name: string, fields: GraphFields) => ({
  name,
  type: 5,
  g: toBinary(GraphProtoSchema, create(GraphProtoSchema, { name, ...fields })),
})
const value = (name: string, ...sizes: readonly (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType: 1,
      shape: {
        dim: sizes.map((size) => ({
          value:
            typeof size === 'string'
              ? ({ case: 'dimParam', value: size } as const)
              : ({ case: 'dimValue', value: BigInt(size) } as const),
        })),
      },
    },
  },
})
const weight = { name: 'w', dataType: 1, dims: [2n, 2n], floatData: [1, -2, 0.5, 3] }
/** What torch writes for `squeeze(1)` of an axis of unknown length: opset 11, axes as an attribute. */
export const squeeze = file(
  {
    input: [value('x', 'batch', 'length', 2)],
    output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
    initializer: [weight],
    node: [
      { opType: 'Shape', input: ['x'], output: ['shape'] },
      {
        opType: 'Constant',
        output: ['one'],
        attribute: [
          writeAttribute('value', {
            tensor: { type: 'int64', shape: [], data: BigInt64Array.of(1n) },
          }),
        ],
      },
      { opType: 'Gather', input: ['shape', 'one'], output: ['length'] },
      { opType: 'Equal', input: ['length', 'one'], output: ['isOne'] },
      {
        name: 'b',
        opType: 'If',
        input: ['isOne'],
        output: ['squeezed'],
        attribute: [
          branch('then_branch', {
            node: [
              {
                opType: 'Squeeze',
                input: ['x'],
                output: ['inner'],
                attribute: [writeAttribute('axes', [1])],
              },
            ],
            output: [value('inner', 'batch', 2)],
          }),
          branch('else_branch', {
            node: [{ opType: 'Identity', input: ['x'], output: ['inner'] }],
            output: [value('inner', 'batch', 'length', 2)],
          }),
        ],
      },
      { opType: 'MatMul', input: ['squeezed', 'w'], output: ['y'] },
    ],
  },
  { opsetImport: [{ domain: '', version: 11n }], irVersion: 6n },
)

const weighted = (floatData: number[]): GraphFields => ({
  initializer: [{ ...weight, floatData }],
  node: [
    { opType: 'MatMul', input: ['x', 'w'], output: ['m'] },
    { name: 'd', opType: 'Dropout', input: ['m', '', 'always'], output: ['inner'] },
  ],
  output: [value('inner', 'batch', 2)],
})
/** A choice between two products with weights of their own, by an initializer or an input. */
export const conditional = (condition: 'initializer' | 'input') => {
  const always = { name: 'always', dataType: 9, int32Data: [1] }
  const flag = { name: 'flag', dataType: 9, int32Data: [0] }
  return file({
    input: [
      value('x', 'batch', 2),
      ...(condition === 'input'
        ? [{ name: 'flag', type: { tensorType: { elemType: 9, shape: { dim: [] } } } }]
        : []),
    ],
    output: [value('y', 'batch', 2)],
    initializer: [always, ...(condition === 'input' ? [] : [flag])],
    node: [
      {
        name: 'b',
        opType: 'If',
        input: ['flag'],
        output: ['y'],
        attribute: [
          branch('then_branch', weighted([1, 1, 1, 1])),
          branch('else_branch', weighted([1, -2, 0.5, 3])),
        ],
      },
    ],
  })
}

/** LeakyRelu with the slope of the caller, then a product. */
export const scale = {
  name: 'Scale',
  domain: 'local',
  input: ['a', 'b'],
  output: ['c'],
  attribute: ['slope'],
  opsetImport: [{ domain: '', version: 21n }],
  node: [
    {
      opType: 'LeakyRelu',
      input: ['a'],
      output: ['t'],
      attribute: [{ name: 'alpha', type: 1, refAttrName: 'slope' }],
    },
    { opType: 'MatMul', input: ['t', 'b'], output: ['c'] },
  ],
}
/** Calls Scale twice. */
export const twice = {
  name: 'Twice',
  domain: 'local',
  input: ['a', 'b'],
  output: ['c'],
  opsetImport: [
    { domain: '', version: 21n },
    { domain: 'local', version: 1n },
  ],
  node: [
    { opType: 'Scale', domain: 'local', input: ['a', 'b'], output: ['t'] },
    {
      opType: 'Scale',
      domain: 'local',
      input: ['t', 'b'],
      output: ['c'],
      attribute: [writeAttribute('slope', { float: 0.5 })],
    },
  ],
}
/** A model that calls Twice twice. */
export const withFunctions = (functions: readonly (typeof scale | typeof twice)[]) =>
  file(
    {
      input: [value('x', 'batch', 2)],
      output: [value('y', 'batch', 2)],
      initializer: [weight],
      node: [
        { name: 'n', opType: 'Twice', domain: 'local', input: ['x', 'w'], output: ['t'] },
        { name: 'm', opType: 'Twice', domain: 'local', input: ['t', 'w'], output: ['y'] },
      ],
    },
    {
      functions: [...functions],
      opsetImport: [
        { domain: '', version: 21n },
        { domain: 'local', version: 1n },
      ],
    },
  )
