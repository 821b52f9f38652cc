export type { ShapeRule } from './analysis/shapes/shape-rule.ts'
export type { GradientRule } from './autodiff/rules/gradient-rule.ts'
export {
  type EvaluationModel,
  evaluationModel,
  type InferenceOptions,
  inferenceModel,
  type StatisticsModel,
  statisticsModel,
} from './evaluation-model.ts'
export {
  type GradientModel,
  gradientModel,
  type RunningStatistic,
  type TrainedParameter,
} from './gradient-model.ts'
export { attachHead, backbonePattern, hasHead, headNames, replaceHead } from './head.ts'
export { Graph, type InferredType, Operation, type Value } from './ir/graph.ts'
export { cpuLowering, type Lowering, referenceLowering } from './ir/lowering.ts'
export { type ModelSpec, toModel } from './ir/to-model.ts'
export { axisSize, staticShape } from './ir/value.ts'
export {
  adaptableWeights,
  applyLora,
  type LoraAdapter,
  type LoraOptions,
  type LoraState,
  lora,
  loraState,
  mergeLora,
} from './lora.ts'
export { type DifferentiateOptions, type ModelOptions, modelOptionNames } from './loss-graph.ts'
export type { DataType, Elements, UnsharedBytes } from './model/data-type.ts'
export { checkOptions, describeArgument, describeNode, OnnxError } from './model/error.ts'
export {
  exceptNames,
  type InitializerRoles,
  initializerRoles,
  isFrozenNormalization,
  onlyNames,
  tiedParameters,
} from './model/initializer-roles.ts'
export type {
  Attribute,
  Model,
  ModelAdapters,
  Node,
  OpaqueTensor,
  Tensor,
  ValueInfo,
} from './model/model.ts'
export { type Dimension, elementCount, type Shape } from './model/model.ts'
export { AttributeReader, isOperator } from './model/node.ts'
export type { ExternalWriter } from './model/patch.ts'
export { readModel } from './model/read.ts'
export type { ExternalData } from './model/tensor.ts'
export { writeModel } from './model/write.ts'
export {
  type SelfAttentionOptions,
  type SimpleSelfAttentionOptions,
  type SqueezeExcitationOptions,
  selfAttention,
  simpleSelfAttention,
  squeezeExcitation,
} from './nn/attention.ts'
export {
  fanInUniform,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  ones,
  type Random,
  seeded,
  xavierNormal,
  xavierUniform,
  zeros,
} from './nn/initializers.ts'
export {
  type BuildOptions,
  buildModel,
  type Layer,
  residual,
  type Scope,
  sequential,
} from './nn/layer.ts'
export {
  averagePool,
  batchNorm,
  type ConvOptions,
  conv,
  dropout,
  gelu,
  globalAveragePool,
  type LinearOptions,
  layerNorm,
  linear,
  maxBlurPool,
  maxPool,
  mish,
  type NormalizationOptions,
  type PoolOptions,
  relu,
  silu,
} from './nn/layers.ts'
export {
  binaryCrossEntropy,
  type ContrastiveOptions,
  type CrossEntropyOptions,
  contrastive,
  crossEntropy,
  type ElementwiseLossOptions,
  type HuberOptions,
  huber,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  outputLoss,
  selectOutput,
} from './nn/losses.ts'
export { type SEResNetOptions, seResNet18 } from './nn/se-resnet.ts'
export {
  type XResNetOptions,
  type XResNetPreset,
  xResNet,
  xResNet18,
  xResNet18Deep,
  xResNet18Deeper,
  xResNet34,
  xResNet34Deep,
  xResNet34Deeper,
  xResNet50,
  xResNet50Deep,
  xResNet50Deeper,
} from './nn/xresnet.ts'
export { apply, applyOperator, type OperatorOptions } from './ops/apply.ts'
export { channelBlockProbe } from './ops/blocked.ts'
export {
  abs,
  add,
  type Binary,
  cast,
  concat,
  div,
  equal,
  erf,
  exp,
  expand,
  gather,
  greater,
  less,
  lessOrEqual,
  log,
  matMul,
  max,
  min,
  mul,
  neg,
  type Operand,
  pad,
  pow,
  type Reduction,
  reduceMean,
  reduceSum,
  reshape,
  sigmoid,
  sign,
  slice,
  softplus,
  sqrt,
  square,
  sub,
  sumTo,
  tanh,
  transpose,
  where,
} from './ops/builders.ts'
export type { InputSizes, OperatorRewrite } from './rewrites/import.ts'
export { evaluationForm } from './rewrites/modes.ts'
export {
  arrayKey,
  type KernelOperation,
  type StepOperation,
  type TransformOperation,
} from './step-operations.ts'
export { type TrainStepModel, type TrainStepOptions, trainStepModel } from './train-step-model.ts'
export { labelsOf, renameValues, transformersFiles, withLabels } from './transformers-folder.ts'
