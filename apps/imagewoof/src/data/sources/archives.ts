/** A published archive, as it must arrive. */
export interface Archive {
  /** In bytes. */
  readonly size: number
  readonly md5: string
}

/** Where fast.ai keeps its data sets. */
export const publishedAt = 'https://s3.amazonaws.com/fast-ai-imageclas/'

/**
 * fast.ai's archives of ImageWoof and Imagenette (https://github.com/fastai/imagenette), with the
 * checksums that several public loaders have on record.
 */
export const archives: ReadonlyMap<string, Archive> = new Map([
  ['imagewoof2-160', { size: 92_612_825, md5: '3d200a7be99704a0d7509be2a9fbfe15' }],
  ['imagewoof2-320', { size: 328_387_740, md5: '0f46d997ec2264e97609196c95897a44' }],
  ['imagewoof2', { size: 1_343_715_595, md5: '9aafe18bcdb1632c4249a76c458465ba' }],
  ['imagenette2-160', { size: 99_003_388, md5: 'e793b78cc4c9e9a4ccc0c1155377a412' }],
  ['imagenette2-320', { size: 341_663_724, md5: '3df6f0d01a2c9592104656642f5e78a3' }],
  ['imagenette2', { size: 1_557_161_267, md5: 'fe2fc210e6bb7c5664d602c3cd71e612' }],
])
