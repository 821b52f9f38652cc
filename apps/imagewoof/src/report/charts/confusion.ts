import { accent, type ChartOption, ink, muted, surface } from '../chart.ts'

const shortened = (name: string): string => (name.length > 20 ? `${name.slice(0, 19)}…` : name)

interface Cell {
  value(dimension: number): number
  coord(point: readonly number[]): readonly [number, number]
  size(extent: readonly number[]): readonly [number, number]
}

/** Rows are classes, columns what their pictures were taken for; a row's shares are its colours. */
export function confusionChart(
  matrix: readonly (readonly number[])[],
  classes: readonly string[],
): ChartOption {
  const sums = matrix.map((row) =>
    Math.max(
      row.reduce((a, b) => a + b, 0),
      1,
    ),
  )
  const cells = matrix.flatMap((row, actual) =>
    row.map((count, predicted) => [predicted, actual, count, count / sums[actual]]),
  )
  const names = { type: 'category', data: classes.map(shortened), axisTick: { show: false } }
  const numbers = classes.length <= 20
  // Text is not measured here, so it is given room by its length.
  const length = Math.max(...classes.map((name) => shortened(name).length))
  return {
    grid: { left: 20 + 7 * length, right: 8, top: 8, bottom: 20 + 5 * length },
    xAxis: { ...names, axisLabel: { rotate: 45, color: muted, interval: 0 } },
    yAxis: { ...names, inverse: true, axisLabel: { color: muted, interval: 0 } },
    series: [
      {
        type: 'custom',
        data: cells,
        renderItem(_: unknown, api: Cell) {
          const [x, y] = api.coord([api.value(0), api.value(1)])
          const [width, height] = api.size([1, 1])
          const [count, share] = [api.value(2), api.value(3)]
          const rect = {
            type: 'rect',
            shape: { x: x - width / 2, y: y - height / 2, width: width - 1, height: height - 1 },
            style: { fill: accent, opacity: count === 0 ? 0.04 : 0.12 + 0.88 * share },
          }
          const text = {
            type: 'text',
            style: {
              text: String(count),
              x,
              y,
              align: 'center',
              verticalAlign: 'middle',
              fontSize: 11,
              fill: share > 0.45 ? surface : ink,
            },
          }
          return { type: 'group', children: numbers && count > 0 ? [rect, text] : [rect] }
        },
      },
    ],
  }
}
