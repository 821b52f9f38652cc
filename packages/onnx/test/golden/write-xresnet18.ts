import { writeFileSync } from 'node:fs'
import { writeModel } from '../../src/model/write.ts'
import { xResNet18Model } from './xresnet18.ts'

/** Writes the model that xresnet18.py trains, with its initial parameters. */
const [, , path = 'xresnet18.onnx'] = process.argv
writeFileSync(path, writeModel(xResNet18Model()))
