import * as echarts from 'echarts'
import { Html } from './page.ts'

/** Options of an echarts chart. */
export type ChartOption = echarts.EChartsCoreOption

/** Size in pixels. Charts shrink on narrow pages. */
export interface ChartSize {
  readonly width: number
  readonly height: number
}

/** A series colour of the page's style sheet, which has a light and a dark scheme. */
export const series = (i: number): string => `var(--series-${i % 9})`
export const [ink, muted, line, surface, accent] = [
  'var(--ink)',
  'var(--muted)',
  'var(--line)',
  'var(--surface)',
  'var(--series-0)',
]

const axis = {
  axisLine: { show: true, lineStyle: { color: line } },
  axisTick: { lineStyle: { color: line } },
  axisLabel: { color: muted },
  nameTextStyle: { color: muted },
  splitLine: { lineStyle: { color: line } },
}

const theme = {
  color: Array.from({ length: 9 }, (_, i) => series(i)),
  textStyle: { color: ink, fontFamily: 'sans-serif' },
  valueAxis: axis,
  logAxis: axis,
  categoryAxis: { ...axis, splitLine: { show: false } },
  legend: { textStyle: { color: ink } },
}
echarts.registerTheme('report', theme)

/** Renders a chart as SVG in the colours of the page. */
export function chart(
  option: ChartOption,
  title: string,
  { width, height }: ChartSize = { width: 400, height: 280 },
): Html {
  const instance = echarts.init(null, 'report', { renderer: 'svg', ssr: true, width, height })
  try {
    instance.setOption({ animation: false, ...option })
    const svg = instance
      .renderToSVGString()
      // Remove hover styles, and the fixed size that would keep the chart from shrinking.
      .replace(/<style\s*>[\s\S]*?<\/style>/g, '')
      .replace(/<svg width="\d+" height="\d+"/, `<svg role="img" aria-label="${title}"`)
      .replaceAll('font-family:sans-serif', 'font-family:inherit')
      .replace(/ class="zr\d+-cls-\d+"/g, '')
      .replace(/ ecmeta_\w+="[^"]*"/g, '')
    return new Html(svg)
  } finally {
    instance.dispose()
  }
}

/** The parts of echarts' `renderItem` API that custom series use. */
export interface RenderApi {
  value(dimension: number): number
  coord(point: readonly number[]): readonly [number, number]
  size(extent: readonly number[]): readonly [number, number]
}
