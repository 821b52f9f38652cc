export { classes, type Shapes, type ShapesOptions, shapes } from './shapes.ts'
