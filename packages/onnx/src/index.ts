export {
  type XResNetOptions,
  xResNet,
  xResNet18,
  xResNet34,
  xResNet50,
} from './architectures/xresnet.ts'
export type { DifferentiateOptions } from './differentiate.ts'
export { OnnxError } from './error.ts'
export { type EvaluationModel, evaluationModel } from './evaluation-model.ts'
export {
  type GradientModel,
  gradientModel,
  type RunningStatistic,
  type TrainedParameter,
} from './gradient-model.ts'
export { evaluationForm, inferenceModel } from './inference-model.ts'
export { Graph } from './ir/graph.ts'
export { fastest, type Lowering, literal } from './ir/lowering.ts'
export { Operation } from './ir/operation.ts'
export { type ModelParts, toModel } from './ir/to-model.ts'
export type { Value } from './ir/value.ts'
export { dropout, gelu, mish, relu, silu } from './layers/activation.ts'
export { selfAttention } from './layers/attention.ts'
export { type BuildOptions, buildModel } from './layers/build-model.ts'
export { type ConvOptions, conv } from './layers/convolution.ts'
export {
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  ones,
  xavierNormal,
  xavierUniform,
  zeros,
} from './layers/initializers.ts'
export { type Layer, type Scope, sequential } from './layers/layer.ts'
export { type LinearOptions, linear } from './layers/linear.ts'
export { batchNorm, layerNorm, type NormalizationOptions } from './layers/normalization.ts'
export { averagePool, globalAveragePool, maxPool, type PoolOptions } from './layers/pooling.ts'
export { residual } from './layers/residual.ts'
export { simpleSelfAttention } from './layers/simple-self-attention.ts'
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.ts'
export {
  binaryCrossEntropy,
  type ElementwiseLossOptions,
  meanSquaredError,
} from './losses/elementwise.ts'
export type { Loss } from './losses/loss.ts'
export type { DataType, Elements } from './model/data-type.ts'
export type { ExternalData } from './model/external-data.ts'
export {
  type InitializerRoles,
  initializerRoles,
  isFrozenNormalization,
} from './model/initializer-roles.ts'
export type {
  Attribute,
  Dimension,
  Model,
  Node,
  OpaqueTensor,
  Shape,
  Tensor,
  ValueInfo,
} from './model/model.ts'
export { elementCount } from './model/model.ts'
export { AttributeReader, describeNode, isOperator } from './model/node.ts'
export { readModel } from './model/read.ts'
export { writeModel } from './model/write.ts'
export { type Application, applyOperator } from './ops/apply.ts'
export type { OpenSizes } from './ops/from-model.ts'
export type { ModelOptions } from './place-model.ts'
export { type Random, seeded } from './random.ts'
export {
  type PartialUpdate,
  type TrainStepModel,
  type TrainStepOptions,
  trainStepModel,
} from './train-step.ts'
