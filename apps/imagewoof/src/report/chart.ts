import * as echarts from 'echarts'
import { Html } from './html.ts'

/** What echarts is told about a chart. */
export type ChartOption = echarts.EChartsCoreOption

/** How large a chart is drawn: in a narrow page it shrinks. */
export interface ChartSize {
  readonly width: number
  readonly height: number
}

/** A colour of the page's style sheet, by number: it follows the reader's light or dark scheme. */
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

/** Draws a chart as SVG, with colours of the page. */
export function chart(
  option: ChartOption,
  title: string,
  { width, height }: ChartSize = { width: 400, height: 280 },
): Html {
  const drawn = echarts.init(null, 'report', { renderer: 'svg', ssr: true, width, height })
  try {
    drawn.setOption({ animation: false, ...option })
    const svg = drawn
      .renderToSVGString()
      // Hovering styles, and sizes that would keep it from shrinking.
      .replace(/<style\s*>[\s\S]*?<\/style>/g, '')
      .replace(/<svg width="\d+" height="\d+"/, `<svg role="img" aria-label="${title}"`)
      .replaceAll('font-family:sans-serif', 'font-family:inherit')
      .replace(/ class="zr\d+-cls-\d+"/g, '')
      .replace(/ ecmeta_\w+="[^"]*"/g, '')
    return new Html(svg)
  } finally {
    drawn.dispose()
  }
}
