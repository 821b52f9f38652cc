import sharp, { type Sharp } from 'sharp'

/** A decoded picture: RGB bytes, upright. */
export interface Picture {
  /** height × width × 3. */
  readonly pixels: Buffer
  readonly width: number
  readonly height: number
  /** Whether the file has one channel, besides transparency. */
  readonly grey: boolean
}

/** @throws Error if the bytes are no whole picture. */
export async function decode(bytes: Uint8Array): Promise<Picture> {
  const file = sharp(bytes, { failOn: 'error' })
  const { channels } = await file.metadata()
  const { data, info } = await file
    .autoOrient()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { pixels: data, width: info.width, height: info.height, grey: channels < 3 }
}

/** The largest square in the middle, resized: what training crops are taken from. */
export function trainingSquare(picture: Picture, edge: number): Promise<Buffer> {
  const { width, height } = picture
  const side = Math.min(width, height)
  return raw(picture)
    .extract({
      left: Math.floor((width - side) / 2),
      top: Math.floor((height - side) / 2),
      width: side,
      height: side,
    })
    .resize(edge, edge, { kernel: 'lanczos3' })
    .raw()
    .toBuffer()
}

/**
 * What a network is shown in validation: the shorter side resized to 8⁄7 of its edge, then the middle,
 * as usual since 224 of 256 pixels. It is what transformers.js does by the name of ConvNext, to the
 * pixel, so that an exported model sees the same.
 */
export function validationSquare(picture: Picture, size: number): Promise<Buffer> {
  const scale = Math.floor(size / 0.875) / Math.min(picture.width, picture.height)
  const [width, height] = [picture.width, picture.height].map((length) =>
    Math.floor(Number((length * scale).toFixed(2))),
  )
  return raw(picture)
    .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
    .extract({
      left: Math.floor((width - size) / 2),
      top: Math.floor((height - size) / 2),
      width: size,
      height: size,
    })
    .raw()
    .toBuffer()
}

const raw = ({ pixels, width, height }: Picture): Sharp =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
