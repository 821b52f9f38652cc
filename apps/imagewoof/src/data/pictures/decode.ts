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

/** A picture, or a part of it, in a square. */
export interface Square {
  /** edge × edge × 3. */
  readonly pixels: Buffer
  /** Width over height of what the square shows, if things are to keep their proportions. */
  readonly aspect: number
}

/** All of a picture, stretched: what training crops are taken from. */
export async function trainingSquare(picture: Picture, edge: number): Promise<Square> {
  const stretched = raw(picture).resize(edge, edge, { fit: 'fill', kernel: 'lanczos3' })
  return { pixels: await stretched.raw().toBuffer(), aspect: picture.width / picture.height }
}

/**
 * What a network is shown in validation: the shorter side resized to 8⁄7 of its edge, then the middle,
 * as usual since 224 of 256 pixels. It is what transformers.js does by the name of ConvNext, to the
 * pixel, so that an exported model sees the same.
 */
export async function validationSquare(picture: Picture, size: number): Promise<Square> {
  const scale = Math.floor(size / 0.875) / Math.min(picture.width, picture.height)
  const [width, height] = [picture.width, picture.height].map((length) =>
    Math.floor(Number((length * scale).toFixed(2))),
  )
  const middle = raw(picture)
    .resize(width, height, { fit: 'fill', kernel: 'lanczos3' })
    .extract({
      left: Math.floor((width - size) / 2),
      top: Math.floor((height - size) / 2),
      width: size,
      height: size,
    })
  return { pixels: await middle.raw().toBuffer(), aspect: 1 }
}

const raw = ({ pixels, width, height }: Picture): Sharp =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
