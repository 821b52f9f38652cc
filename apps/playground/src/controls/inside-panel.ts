import { element, say } from '../dom/element.ts'
import { Sheet } from '../draw/sheet.ts'
import { drawStrip } from '../draw/strip.ts'
import { hasFriction, optionOf, type Racer } from '../optimizers/racer.ts'
import type { Inside } from '../race/descent.ts'
import { pointFigure } from '../race/figures.ts'

/** What is shown of the inside, and what it is. */
const rows = [
  ['xi', 'ξ', 'friction'],
  ['m', 'm', 'mean of gradients'],
  ['v', 'v', 'mean of their squares'],
  ['effectiveStep', 'Δθ', 'step that it takes'],
] as const

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  0: [0.5, 1],
  1: [0, 1],
  2: [0.5, 5],
}

/** The inside of one optimizer while it races. */
export interface Glance {
  readonly racer: Racer
  readonly label: string
  readonly index: number
  readonly inside: readonly Inside[]
  readonly steps: number
}

/** ξ, m, v and the step of the selected optimizer, each against the step. */
export class InsidePanel {
  readonly node: HTMLElement
  readonly #title = element('h2', {})
  readonly #lines: readonly {
    readonly row: HTMLElement
    readonly now: HTMLElement
    readonly sheet: Sheet
  }[]
  #glance: Glance | undefined

  constructor() {
    this.#lines = rows.map(([key, sign, meaning]) => {
      const now = element('output', { class: 'now', 'aria-live': 'off', 'data-inside': key })
      const canvas = element('canvas', { class: 'strip', 'aria-hidden': 'true' })
      const name = element('span', { class: 'sign', title: meaning }, sign)
      const text = element('div', { class: 'strip-text' }, name, element('span', {}, meaning), now)
      const row = element('div', { class: 'strip-row' }, text, canvas)
      const sheet = new Sheet(canvas, (surface) => {
        if (!this.#glance) return
        const { inside, racer, index, steps } = this.#glance
        drawStrip(surface, {
          values:
            inside.flatMap((step) => step[key] ?? []).length > 0
              ? inside.map((step) => step[key] ?? [])
              : [],
          range: key === 'xi' ? ranges[`${optionOf(racer, 'version')}`] : undefined,
          level: key === 'xi' ? 0.5 : undefined,
          steps,
          colour: surface.ink.racers[index],
        })
      })
      return { row, now, sheet }
    })
    const lines = this.#lines.map(({ row }) => row)
    this.node = element(
      'section',
      { class: 'inside', 'aria-label': 'Inside the optimizer' },
      this.#title,
      ...lines,
    )
  }

  show(glance: Glance): void {
    this.#glance = glance
    say(this.#title, `Inside ${glance.label}`)
    const last = glance.inside[glance.inside.length - 1]
    for (const [i, [key]] of rows.entries()) {
      const { now, sheet } = this.#lines[i]
      const value = last?.[key]
      const none = key === 'xi' && !hasFriction(glance.racer) ? 'none: as if it were 1' : '–'
      say(now, value ? pointFigure(value) : none)
      sheet.draw()
    }
  }
}
