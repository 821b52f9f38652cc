import * as echarts from 'echarts'
import { formatNumber } from '../format.ts'
import { colorScheme, Html, html } from './page.ts'

/** Options of an echarts chart. */
export interface ChartOption extends echarts.EChartsCoreOption {
  readonly series: readonly ChartSeries[]
  /** Charts whose axes name their series have no legend. */
  readonly legend?: 'none'
  /** How hover values are written; by default with three digits. */
  readonly hover?: {
    readonly x?: (value: number) => string
    readonly y?: (value: number) => string
  }
}

/** A series. Those with a name are in the legend and have hover values. */
interface ChartSeries {
  readonly name?: string
  readonly [key: string]: unknown
}

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

/** A named line of a chart. Dash patterns and symbols tell lines apart where colours do not. */
export type NamedLine = {
  readonly type: 'line'
  readonly name: string
  readonly data: readonly (readonly [x: number, y: number])[]
  readonly symbol: string
  readonly symbolSize: number
  readonly itemStyle: { readonly color: string }
  readonly lineStyle: {
    readonly color: string
    readonly width: number
    readonly opacity?: number
    readonly type: unknown
  }
}

const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 2.5], [9, 3, 2, 3]]
const symbols = ['circle', 'rect', 'triangle', 'diamond', 'pin']

/** The `i`-th line of a chart, with a symbol at each point, so that a single point is visible. */
export const lineSeries = (name: string, i: number, data: NamedLine['data']): NamedLine => ({
  type: 'line',
  name,
  data,
  symbol: symbols[i % symbols.length],
  symbolSize: 6,
  itemStyle: { color: series(i) },
  lineStyle: { color: series(i), width: 2, type: i % 4 === 0 ? 'solid' : dashes[i % 4] },
})

const symbolPaths: Readonly<Record<string, string>> = {
  circle: 'M10 6a3 3 0 1 0 6 0a3 3 0 1 0-6 0',
  rect: 'M10 3h6v6h-6z',
  triangle: 'M13 2.5l3.5 6.5h-7z',
  diamond: 'M13 2l3 4l-3 4l-3-4z',
  pin: 'M13 10l-3-5a3 3 0 1 1 6 0z',
}

/** The sample of a series in a legend: a piece of its line with its symbol, or a ring. */
function sample({ type, symbol, lineStyle }: Partial<NamedLine>): Html {
  const color = lineStyle?.color ?? accent
  const dash = Array.isArray(lineStyle?.type) ? lineStyle.type.join(' ') : ''
  const shape =
    type === 'line'
      ? html`<path d="M0 6H26" stroke="${color}" stroke-width="${lineStyle?.width ?? 2}" stroke-opacity="${lineStyle?.opacity ?? 1}" stroke-dasharray="${dash}"/><path d="${symbolPaths[symbol ?? ''] ?? ''}" fill="${color}"/>`
      : html`<circle cx="13" cy="6" r="4.5" fill="none" stroke="${color}" stroke-width="2"/>`
  return html`<svg class="sample" viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">${shape}</svg>`
}

/** A legend entry of the `i`-th line, as `lineSeries` draws it. */
export const lineSample = (i: number): Html => sample(lineSeries('', i, []))

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
  // ECharts fails on ticks closer than about 1e-20.
  valueAxis: { ...axis, minInterval: 1e-15 },
  logAxis: axis,
  categoryAxis: { ...axis, splitLine: { show: false } },
}
echarts.registerTheme('report', theme)

/** The width at which text has its full size on a page of 390 px. */
const narrowWidth = 340

/**
 * Renders a chart as SVG in the colours of the page, with a legend if several series have names. A wider
 * chart is rendered a second time for narrow pages, so that its text never becomes small.
 *
 * @param title - names the chart to screen readers.
 */
export function chart(
  option: ChartOption,
  title: string,
  { width, height }: ChartSize = { width: narrowWidth, height: 280 },
): Html {
  const named = option.series.filter(({ name }) => name !== undefined)
  const legend =
    named.length < 2 || option.legend === 'none'
      ? ''
      : html`<div class="legend">${named.map((own) => html`<span>${sample(own)}${own.name ?? ''}</span> `)}</div>`
  if (width <= narrowWidth) return html`${legend}${render(option, title, { width, height }, '')}`
  return html`${legend}${render(option, title, { width, height }, 'at-wide')}${render(option, title, { width: narrowWidth, height }, 'at-narrow')}`
}

/**
 * Renders a chart as an SVG file with a background and colours of its own, light or dark as the reader
 * prefers. It has no legend: the option must label its series.
 *
 * @param title - names the chart to screen readers.
 */
export const chartFile = (option: ChartOption, title: string, size: ChartSize): string =>
  renderSvg({ backgroundColor: surface, ...option }, size, () => {
    const opening = html`<svg width="${size.width}" height="${size.height}" role="img" aria-label="${title}"`
    return opening.markup
  })
    .replace('>', `><style>${colorScheme}svg { font-family: system-ui, sans-serif; }</style>`)
    .concat('\n')

const render = (option: ChartOption, title: string, size: ChartSize, className: string): Html =>
  new Html(
    renderSvg(option, size, (instance) => {
      const hover = JSON.stringify(hoverValues(instance, option.series, option.hover))
      return html`<svg class="${className}" role="img" tabindex="0" aria-label="${title}" data-hover="${hover}"`
        .markup
    }),
  )

/** @param opening - replaces the start of the `svg` tag, which has a fixed size. */
function renderSvg(
  { hover: _hover, legend: _legend, ...option }: ChartOption,
  { width, height }: ChartSize,
  opening: (instance: echarts.ECharts) => string,
): string {
  const instance = echarts.init(null, 'report', { renderer: 'svg', ssr: true, width, height })
  try {
    instance.setOption({ animation: false, ...option })
    return (
      instance
        .renderToSVGString()
        // Remove hover styles.
        .replace(/<style\s*>[\s\S]*?<\/style>/g, '')
        .replace(/<svg width="\d+" height="\d+"/, () => opening(instance))
        .replaceAll('font-family:sans-serif', 'font-family:inherit')
        .replace(/ class="zr\d+-cls-\d+"/g, '')
        .replace(/ ecmeta_\w+="[^"]*"/g, '')
    )
  } finally {
    instance.dispose()
  }
}

/** The points of each named series in the pixels of the chart, with their values as text. */
function hoverValues(
  instance: echarts.ECharts,
  all: readonly ChartSeries[],
  { x: xText = formatNumber, y: yText = formatNumber }: ChartOption['hover'] = {},
): readonly unknown[] {
  const round = (value: number): number => Math.round(10 * value) / 10
  return all.flatMap(({ name, data, lineStyle }, seriesIndex) => {
    if (name === undefined) return []
    const { color } = lineStyle as NamedLine['lineStyle']
    const points = (data as NamedLine['data']).flatMap(([x, y]) => {
      const [left, top] = instance.convertToPixel({ seriesIndex }, [x, y])
      return Number.isFinite(left) && Number.isFinite(top)
        ? [[round(left), round(top), xText(x), yText(y)]]
        : []
    })
    return [{ name, color, points }]
  })
}

/** The parts of echarts' `renderItem` API that custom series use. */
export interface RenderApi {
  value(dimension: number): number
  coord(point: readonly number[]): readonly [number, number]
  size(extent: readonly number[]): readonly [number, number]
}
