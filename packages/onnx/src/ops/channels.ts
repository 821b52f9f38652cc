import { sizes, type Value } from '../ir/value.ts'
import { reshape } from './operations.ts'

/** All axes of an image, batch × channels × space, but that of the channels. */
export const allButChannels = ({ shape }: Value): readonly number[] =>
  shape.map((_, axis) => axis).filter((axis) => axis !== 1)

/** A value for each channel, in the shape that broadcasts over an image. */
export const perChannel = (value: Value, image: Value): Value =>
  reshape(value, [...sizes(value), ...image.shape.slice(2).map(() => 1)])
