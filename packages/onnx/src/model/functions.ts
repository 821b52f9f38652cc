import { clone } from '@bufbuild/protobuf'
import { OnnxError } from './error.ts'
import { freshNames } from './node.ts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
} from './onnx_pb.ts'

/** How deep functions may call others. */
const maxDepth = 64

/** More nodes than any file has: functions that call others twice grow without bounds. */
const maxNodes = 2 ** 16

const keyOf = (domain: string, name: string, overload: string): string =>
  [domain, name, overload].join('\n')

/**
 * The nodes of a model with every call of one of its functions replaced by the function's body. Values of
 * the body get names of their own, and attributes that refer to the call's get their values.
 *
 * @throws {OnnxError} If a function calls itself, is of another operator set than the model, or has too
 *   many nodes.
 */
export function inlineFunctions(
  model: ModelProto,
  nodes: readonly NodeProto[],
): readonly NodeProto[] {
  if (model.functions.length === 0) return nodes
  const functions = new Map(
    model.functions.map((one) => [keyOf(one.domain, one.name, one.overload), one]),
  )
  const graph = model.graph
  const taken = new Set([
    ...(graph?.input.map(({ name }) => name) ?? []),
    ...(graph?.initializer.map(({ name }) => name) ?? []),
    ...nodes.flatMap(({ output }) => output),
  ])
  const freshName = freshNames(taken)
  const bodyOf = (
    node: NodeProto,
    callers: readonly FunctionProto[],
  ): FunctionProto | undefined => {
    const body = functions.get(keyOf(node.domain, node.opType, node.overload))
    if (body && callers.includes(body))
      throw new OnnxError(`function "${body.name}": must not call itself`)
    if (body && callers.length > maxDepth)
      throw new OnnxError(`function "${body.name}": must be at most ${maxDepth} calls deep`)
    return body
  }
  const sizes = new Map<FunctionProto, number>()
  const sizeOf = (node: NodeProto, callers: readonly FunctionProto[]): number => {
    const body = bodyOf(node, callers)
    if (!body) return 1
    const inner = [...callers, body]
    const size = sizes.get(body) ?? body.node.reduce((sum, one) => sum + sizeOf(one, inner), 0)
    sizes.set(body, size)
    return size
  }
  const size = nodes.reduce((sum, node) => sum + sizeOf(node, []), 0)
  if (size > maxNodes)
    throw new OnnxError(
      `model: must have at most ${maxNodes} nodes with its functions inlined, but has ${size}`,
    )
  const inline = (node: NodeProto, callers: readonly FunctionProto[]): readonly NodeProto[] => {
    const body = bodyOf(node, callers)
    if (!body) return [node]
    checkOpset(model, body)
    return callOf(node, body, freshName).flatMap((inner) => inline(inner, [...callers, body]))
  }
  return nodes.flatMap((node) => inline(node, []))
}

const isStandard = ({ domain }: { readonly domain: string }): boolean =>
  domain === '' || domain === 'ai.onnx'

function checkOpset({ opsetImport }: ModelProto, { name, opsetImport: own }: FunctionProto): void {
  const [version, expected] = [own.find(isStandard), opsetImport.find(isStandard)]
  if (version && expected && version.version !== expected.version)
    throw new OnnxError(
      `function "${name}": must be of the model's opset ${expected.version}, but is of ${version.version}`,
    )
}

/** The nodes of a function's body with the values and attributes of a call. */
function callOf(
  call: NodeProto,
  { input, output, node: nodes, attributeProto: defaults }: FunctionProto,
  freshName: (name: string) => string,
): readonly NodeProto[] {
  const prefix = call.name || call.output[0] || call.opType
  const names = new Map([
    ['', ''],
    ...input.map((name, i) => [name, call.input[i] ?? ''] as const),
    ...output.flatMap((name, i) => (call.output[i] ? [[name, call.output[i]] as const] : [])),
  ])
  const rename = (name: string): string => {
    const known = names.get(name)
    if (known !== undefined) return known
    const fresh = freshName(`${prefix}/${name}`)
    names.set(name, fresh)
    return fresh
  }
  const values = new Map([...defaults, ...call.attribute].map((value) => [value.name, value]))
  return nodes.map((node) => {
    const copy = clone(NodeProtoSchema, node)
    copy.attribute = copy.attribute.flatMap((one): AttributeProto[] => {
      if (!one.refAttrName) return [one]
      const value = values.get(one.refAttrName)
      if (!value) return []
      const named = clone(AttributeProtoSchema, value)
      named.name = one.name
      return [named]
    })
    copy.input = node.input.map(rename)
    copy.output = node.output.map(rename)
    copy.name = node.name && `${prefix}/${node.name}`
    return copy
  })
}
