import { xResNet18, xResNet34, xResNet50 } from '@diffgrad/onnx'

/** Networks by the names that the command line has for them. */
export const architectures = {
  xresnet18: xResNet18,
  xresnet34: xResNet34,
  xresnet50: xResNet50,
} as const
