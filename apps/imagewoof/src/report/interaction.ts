/**
 * The script of all reports: hover values and sortable tables, by pointer and by keyboard. It listens on
 * the document, so that charts may be replaced at any time.
 *
 * - `data-hover` on a chart: its series, with points in its own pixels and their values as text.
 * - `data-tip` on any element: its hover text. In a `data-cells` table, arrow keys move between them.
 * - `data-map` on a confusion map: the names of its classes and its counts.
 * - a button in a `th` sorts the table by that column; `data-value` on a cell is its sort key.
 */
export const interactionScript = `
(() => {
  const tip = document.createElement('div')
  tip.className = 'tip'
  tip.setAttribute('role', 'status')
  const parsed = new WeakMap()
  const dataOf = (svg, key) => {
    if (!parsed.has(svg)) parsed.set(svg, JSON.parse(svg.dataset[key]))
    return parsed.get(svg)
  }
  const positions = new WeakMap()
  let active

  const hide = () => {
    if (!active) return
    active.querySelector?.('.cursor')?.remove()
    active.classList.remove('at')
    active = undefined
    tip.remove()
  }
  const show = (owner, x, y, lines) => {
    if (active !== owner) hide()
    active = owner
    tip.replaceChildren(...lines.map(({ text, color }) => {
      const row = document.createElement('div')
      row.textContent = text
      if (color) row.style.setProperty('--key', color)
      if (color) row.className = 'keyed'
      return row
    }))
    document.body.append(tip)
    const { width, height } = tip.getBoundingClientRect()
    const edge = document.documentElement.clientWidth - width - 8
    // In coordinates of the page, so that the values move with it.
    tip.style.left = scrollX + Math.max(Math.min(x + 12, edge), 8) + 'px'
    tip.style.top = scrollY + Math.max(y - height - 12, 8) + 'px'
  }
  const draw = (svg, markup) => {
    svg.querySelector('.cursor')?.remove()
    const group = document.createElementNS('http://www.w3.org/2000/svg', 'g')
    group.setAttribute('class', 'cursor')
    group.innerHTML = markup
    svg.append(group)
  }
  /** Pixels of the page per unit of the drawing, and the drawing's corner. */
  const frameOf = (svg) => {
    const { left, top, width } = svg.getBoundingClientRect()
    return { left, top, scale: width / svg.viewBox.baseVal.width }
  }

  const showChart = (svg, at) => {
    const nearest = dataOf(svg, 'hover').filter(({ points }) => points.length > 0).map((own) => ({
      ...own,
      point: own.points.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a),
    }))
    if (nearest.length === 0) return
    const [x, , text] = nearest.map(({ point }) => point).reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a)
    positions.set(svg, x)
    const { left, top, scale } = frameOf(svg)
    const { height } = svg.viewBox.baseVal
    draw(svg, '<path class="rule" d="M' + x + ' 0V' + (height - 40) + '"/>' + nearest.map(({ point, color }) =>
      '<circle r="3.5" cx="' + point[0] + '" cy="' + point[1] + '" fill="' + color + '"/>').join(''))
    const highest = Math.min(...nearest.map(({ point }) => point[1]))
    // Points without a second value have only the first.
    const valueOf = ([, , x, y]) => y === '' ? x : y + (x === text ? '' : ' (' + x + ')')
    const header = nearest.some(({ point }) => point[3] !== '') ? [{ text }] : []
    const rows = nearest.map(({ name, color, point }) => ({ text: name + ' ' + valueOf(point), color }))
    show(svg, left + x * scale, top + highest * scale, [...header, ...rows])
  }
  const moveChart = (svg, key) => {
    const stops = [...new Set(dataOf(svg, 'hover').flatMap(({ points }) => points.map((point) => point[0])))].sort((a, b) => a - b)
    const at = positions.get(svg)
    const next = key === 'ArrowRight' ? stops.find((x) => at === undefined || x > at) ?? stops.at(-1)
      : key === 'ArrowLeft' ? stops.findLast((x) => at === undefined || x < at) ?? stops[0]
      : key === 'Home' ? stops[0] : stops.at(-1)
    if (next !== undefined) showChart(svg, next)
  }

  const showTip = (cell) => {
    const { left, top, width } = cell.getBoundingClientRect()
    cell.classList.add('at')
    show(cell, left + width / 2, top, [{ text: cell.dataset.tip }])
    cell.classList.add('at')
  }
  const moveCell = (table, key) => {
    const rows = [...table.rows].map((row) => [...row.querySelectorAll('[data-tip]')]).filter((row) => row.length > 0)
    const [i, j] = step(positions.get(table), key, rows.length, rows[0]?.length ?? 0)
    positions.set(table, [i, j])
    const cell = rows[i]?.[j]
    if (cell) showTip(cell)
  }
  /** The next row and column after a key. */
  const step = (at, key, rows, columns) => {
    if (!at || key === 'Home') return [0, 0]
    if (key === 'End') return [rows - 1, columns - 1]
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key]
    const within = (value, count) => Math.max(0, Math.min(count - 1, value))
    return [within(at[0] + down, rows), within(at[1] + right, columns)]
  }

  const showMap = (svg, row, column) => {
    const { names, rows } = dataOf(svg, 'map')
    positions.set(svg, [row, column])
    const { left, top, scale } = frameOf(svg)
    const counts = rows[row]
    const count = Object.fromEntries(counts)[column] ?? 0
    const sum = counts.reduce((total, own) => total + own[1], 0)
    draw(svg, '<rect x="' + column + '" y="' + row + '" width="1" height="1"/>')
    show(svg, left + (column + 0.5) * scale, top + row * scale, [
      { text: names[row] + (row === column ? ' recognized' : ' classified as ' + names[column]) },
      { text: count + ' of ' + sum + ' images' },
    ])
  }

  const follow = (event) => {
    const { target } = event
    const owner = target.closest?.('[data-hover], [data-map], [data-tip]')
    if (!owner) return hide()
    if (owner.dataset.tip !== undefined) return showTip(owner)
    const { left, top, scale } = frameOf(owner)
    const [x, y] = [(event.clientX - left) / scale, (event.clientY - top) / scale]
    if (owner.dataset.hover !== undefined) return showChart(owner, x)
    const last = owner.viewBox.baseVal.width - 1
    const within = (value) => Math.max(0, Math.min(last, Math.floor(value)))
    return showMap(owner, within(y), within(x))
  }
  document.addEventListener('pointermove', follow)
  document.addEventListener('pointerdown', follow)
  // Focus scrolls the page after a key may have shown values; only boxes within it scroll away from them.
  document.addEventListener('scroll', ({ target }) => target !== document && hide(), true)
  document.addEventListener('focusout', hide)
  document.addEventListener('keydown', (event) => {
    const { target, key } = event
    if (key === 'Escape') return hide()
    if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(key)) return
    const { hover, map, cells } = target.dataset ?? {}
    if (hover === undefined && map === undefined && cells === undefined) return
    if (hover !== undefined && /Up|Down/.test(key)) return
    event.preventDefault()
    if (hover !== undefined) moveChart(target, key)
    else if (cells !== undefined) moveCell(target, key)
    else {
      const { length } = dataOf(target, 'map').names
      showMap(target, ...step(positions.get(target), key, length, length))
    }
  })

  const keyOf = (row, column) => {
    const cell = row.cells[column]
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value)
  }
  document.addEventListener('click', ({ target }) => {
    const zoom = target.closest?.('[data-zoom]')
    if (zoom) {
      for (const other of zoom.parentElement.children) other.setAttribute('aria-pressed', String(other === zoom))
      zoom.closest('figure').querySelector('[data-map]').style.width = zoom.dataset.zoom + '%'
    }
    const header = target.closest?.('th')
    if (!header || !target.closest('button')) return
    const table = header.closest('table')
    const descending = header.getAttribute('aria-sort') === 'ascending'
    for (const other of header.parentElement.cells) other.removeAttribute('aria-sort')
    header.setAttribute('aria-sort', descending ? 'descending' : 'ascending')
    const [body] = table.tBodies
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [keyOf(a, header.cellIndex), keyOf(b, header.cellIndex)]
      const order = typeof x === 'number' ? x - y : x.localeCompare(y)
      return descending ? -order : order
    })
    body.append(...rows)
  })
})()
`
