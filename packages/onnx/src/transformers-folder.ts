import { describeArgument, OnnxError } from './model/error.ts'
import type { Model, ValueInfo } from './model/model.ts'

/**
 * The files of a folder that transformers.js loads, by their paths in it. Classifiers of images have a
 * `preprocessor`, those of texts a `tokenizer` and its configuration.
 */
export const transformersFiles = {
  config: 'config.json',
  preprocessor: 'preprocessor_config.json',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
  model: 'onnx/model.onnx',
} as const

type Config = Readonly<Record<string, unknown>>

/**
 * The names of a classifier's classes: `id2label` of its config.json, in the order of the logits.
 *
 * @returns none if the configuration names none.
 * @throws {OnnxError} If the indices are not 0, 1, 2 … or a name is no text.
 */
export function labelsOf({ id2label = {} }: Config): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null)
    throw new OnnxError(
      `config.json: id2label must be an object of names, but is ${describeArgument(id2label)}`,
    )
  const labels: Readonly<Record<string, unknown>> = { ...id2label }
  return Object.keys(labels).map((_, i) => {
    const label = labels[i]
    if (typeof label === 'string') return label
    throw new OnnxError(
      `config.json: id2label must have a name for class ${i}, but has ${describeArgument(label)}`,
    )
  })
}

/**
 * A configuration for other classes: softmax over `labels`, and weights in float32, since transformers.js looks
 * for quantized ones in browsers.
 *
 * @throws {OnnxError} If two classes have one name.
 */
export function withLabels(config: Config, labels: readonly string[]): Config {
  const twice = labels.find((label, i) => labels.indexOf(label) !== i)
  if (twice !== undefined)
    throw new OnnxError(`config.json: labels must differ, but two are ${describeArgument(twice)}`)
  const { 'transformers.js_config': ofTransformers = {} } = config
  return {
    ...config,
    num_labels: labels.length,
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    ...(config.problem_type !== undefined && { problem_type: 'single_label_classification' }),
    'transformers.js_config': { ...Object(ofTransformers), dtype: 'fp32' },
  }
}

/**
 * A model with other names of inputs and outputs: transformers.js feeds images as `pixel_values`, and reads
 * `logits`.
 *
 * @param names - the new names, by the old ones.
 * @throws {OnnxError} If a value has a new name already.
 */
export function renameValues(model: Model, names: Readonly<Record<string, string>>): Model {
  const changed = Object.entries(names).filter(([from, to]) => from !== to)
  const next = new Map(changed)
  const taken = [
    ...model.inputs.map(({ name }) => name),
    ...model.initializers.keys(),
    ...model.nodes.flatMap(({ outputs }) => outputs),
  ].find((name) => !next.has(name) && changed.some(([, to]) => to === name))
  if (taken !== undefined) throw new OnnxError(`model: must have one value "${taken}", but has two`)
  const rename = (name: string): string => next.get(name) ?? name
  // Without the message, which holds the old name.
  const renamed = (value: ValueInfo): ValueInfo =>
    next.has(value.name)
      ? { name: rename(value.name), type: value.type, shape: value.shape }
      : value
  return {
    ...model,
    inputs: model.inputs.map(renamed),
    outputs: model.outputs.map(renamed),
    nodes: model.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
    values: new Map([...model.values].map(([name, value]) => [rename(name), renamed(value)])),
  }
}
