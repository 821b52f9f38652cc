/** The colours that charts are drawn in, as the style sheet has them now. */
export interface Ink {
  readonly paper: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly edge: string
  /** The lowest and the highest of a landscape. */
  readonly deep: string
  readonly high: string
  readonly contour: string
  /** Of the racers, in order: the palette of Okabe and Ito, which colour-blind people can tell apart. */
  readonly racers: readonly string[]
  /** Of what has not arrived. */
  readonly lost: string
  readonly font: string
}

/** Reads the colours anew. */
export function inkOf(root: HTMLElement): Ink {
  const style = getComputedStyle(root)
  const named = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    paper: named('surface'),
    text: named('text'),
    muted: named('muted'),
    line: named('line'),
    edge: named('edge'),
    deep: named('deep'),
    high: named('high'),
    contour: named('contour'),
    racers: [0, 1, 2, 3, 4, 5].map((i) => named(`racer-${i}`)),
    lost: named('lost'),
    font: style.fontFamily,
  }
}
