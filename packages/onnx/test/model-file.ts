import { readFileSync } from 'node:fs'
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  type TensorProtoSchema,
} from '../src/model/onnx_pb.ts'

/** What a file may be made of. */
export type GraphParts = Exclude<MessageInitShape<typeof GraphProtoSchema>, { $typeName: string }>
export type TensorParts = Exclude<MessageInitShape<typeof TensorProtoSchema>, { $typeName: string }>
type ModelParts = Exclude<MessageInitShape<typeof ModelProtoSchema>, { $typeName: string }>

/** A file of some parts, as another program would write it. */
export const file = (graph: GraphParts, parts: ModelParts = {}): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 21n }],
      graph,
      ...parts,
    }),
  )

/** A file that recipe.py wrote, in the Buffer in which Node reads it. */
export const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url))
