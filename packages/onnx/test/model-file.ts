import { readFileSync } from 'node:fs'
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type GraphProtoSchema,
  ModelProtoSchema,
  type TensorProtoSchema,
} from '../src/model/onnx_pb.ts'

/** The messages of a model file. */
export type GraphFields = Exclude<MessageInitShape<typeof GraphProtoSchema>, { $typeName: string }>
export type TensorFields = Exclude<
  MessageInitShape<typeof TensorProtoSchema>,
  { $typeName: string }
>
type ModelFields = Exclude<MessageInitShape<typeof ModelProtoSchema>, { $typeName: string }>

/** Encodes a model file as another program would write it. */
export const file = (graph: GraphFields, model: ModelFields = {}): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 21n }],
      graph,
      ...model,
    }),
  )

/** Reads a file of the folder `fixtures`. */
export const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`fixtures/${name}`, import.meta.url))
