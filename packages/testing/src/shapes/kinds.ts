import * as solid from './solids.ts'
import * as texture from './textures.ts'

/** Angles that a pose is drawn from, in radians, to either side of nought. */
export interface Pose {
  /** Around the body's y axis. */
  readonly spin: number
  /** Towards the viewer: between the two angles. */
  readonly tilt: readonly [low: number, high: number]
  /** In the plane of the picture. */
  readonly roll: number
}

/** A class of the data set. */
export interface Kind {
  readonly name: string
  readonly solid: solid.SolidOf
  readonly pose: Pose
  readonly textures: readonly texture.TextureFrom[]
}

const any = Math.PI
const anyTexture = [
  texture.plain,
  texture.stripes,
  texture.checks,
  texture.spots,
  texture.marble,
] as const

/** All kinds but one bear any texture, so that only the form tells them. */
export const kinds: readonly Kind[] = [
  {
    name: 'torus',
    solid: solid.torus,
    pose: { spin: 0, tilt: [-0.9, 0.9], roll: any },
    textures: anyTexture,
  },
  {
    name: 'cube frame',
    solid: solid.cubeFrame,
    pose: { spin: any, tilt: [0.4, 0.7], roll: 0.6 },
    textures: anyTexture,
  },
  {
    name: 'cone',
    solid: solid.cone,
    pose: { spin: any, tilt: [-0.1, 0.5], roll: 0.6 },
    textures: anyTexture,
  },
  {
    name: 'star',
    solid: solid.star,
    pose: { spin: 0.5, tilt: [-0.5, 0.5], roll: any },
    textures: anyTexture,
  },
  {
    name: 'heart',
    solid: solid.heart,
    pose: { spin: 0.5, tilt: [-0.4, 0.4], roll: 0.5 },
    textures: anyTexture,
  },
  {
    name: 'mug',
    solid: solid.mug,
    pose: { spin: 0.5, tilt: [0.4, 0.8], roll: 0.3 },
    textures: anyTexture,
  },
  {
    name: 'jack',
    solid: solid.jack,
    pose: { spin: any, tilt: [0.4, 0.8], roll: 0.5 },
    textures: anyTexture,
  },
  {
    name: 'dumbbell',
    solid: solid.dumbbell,
    pose: { spin: 0.5, tilt: [-any, any], roll: any },
    textures: anyTexture,
  },
  {
    name: 'planet',
    solid: solid.planet,
    pose: { spin: any, tilt: [0.25, 0.7], roll: 0.7 },
    textures: anyTexture,
  },
  {
    name: 'checkered sphere',
    solid: solid.sphere,
    pose: { spin: any, tilt: [-any, any], roll: any },
    textures: [texture.globe],
  },
]
