import { writeFileSync } from 'node:fs'
import { writeModel } from '@diffgrad/onnx'
import { xResNet18Model } from './xresnet18.ts'

/** Writes the model that xresnet18.py trains: its initial parameters are drawn here. */
const [, , path = 'xresnet18.onnx'] = process.argv
writeFileSync(path, writeModel(xResNet18Model()))
