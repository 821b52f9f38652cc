import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Html, html, page } from '../report/page.ts'

/** A classifier in a page. */
export interface ClassifierPage {
  readonly title: string
  /** A sentence on what the model was trained on, and how well it does. */
  readonly summary: string
  /** An .onnx file from images of any size to logits. */
  readonly model: Uint8Array
  readonly classes: readonly string[]
  /** What the model sees of a picture. */
  readonly crop: string
}

/**
 * A page that classifies the pictures that are dropped on it. It holds its script, the model and ONNX
 * Runtime's WebAssembly module, since a page opened from a file cannot load other files.
 */
export async function classifierPage({
  title,
  summary,
  model,
  classes,
  crop,
}: ClassifierPage): Promise<string> {
  const runtime = createRequire(import.meta.url).resolve(
    'onnxruntime-web/ort-wasm-simd-threaded.wasm',
  )
  const [script, compressedRuntime, compressedModel] = await Promise.all([
    bundledScript(),
    readFile(runtime).then(compress),
    compress(model),
  ])
  // A closing tag would end the script element.
  const names = JSON.stringify(classes).replaceAll('<', '\\u003c')
  const listed = classes.length > 12 ? [...classes.slice(0, 12), '…'] : classes
  return page(title, [
    html`<style>${new Html(style)}</style>
<main>
<h1>${title}</h1>
<p>${summary}</p>
<form>
<label class="drop">
<b>Drop pictures here, or choose them</b>
<span class="muted">Nothing is uploaded: this page works without a network.</span>
<input type="file" accept="image/*" multiple>
</label>
</form>
<p id="status" class="muted" role="status">Loading the model …</p>
<section id="results" aria-label="Results"></section>
<details><summary>${classes.length} classes</summary><p>${listed.join(', ')}</p>
<p class="muted">A picture of anything else is assigned to one of these classes, too. The model sees
${crop}.</p></details>
</main>
<script type="application/json" id="classes">${new Html(names)}</script>
<script type="application/octet-stream" id="runtime">${new Html(compressedRuntime)}</script>
<script type="application/octet-stream" id="model">${new Html(compressedModel)}</script>
<script>${new Html(script.replaceAll('</script', '<\\/script'))}</script>`,
  ])
}

const compress = async (bytes: Uint8Array): Promise<string> =>
  (await promisify(gzip)(bytes)).toString('base64')

/** The script of the page, in one piece. */
async function bundledScript(): Promise<string> {
  // Imported here because only exports need it.
  const { build } = await import('esbuild')
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`./page-script.${extension}`, import.meta.url))],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    // ONNX Runtime looks for other files beside its own address; the page holds all that it needs.
    define: { 'import.meta.url': 'location.href' },
    logLevel: 'error',
  })
  return outputFiles[0].text
}

const style = `
body { max-width: 46rem; }
.drop { display: block; margin: 1.5rem 0 1rem; padding: 2.25rem 1rem; text-align: center; cursor: pointer;
  border: 2px dashed var(--muted); border-radius: 12px; background: var(--surface); }
.drop b, .drop span { display: block; }
.drop:hover, .over .drop { border-color: var(--series-0); }
.drop:focus-within { outline: 3px solid var(--series-0); outline-offset: 3px; }
.drop input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.over .drop { background: color-mix(in srgb, var(--series-0) 12%, var(--surface)); }
.result { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0.25rem 1.25rem; margin: 0.75rem 0; }
.result > :not(img):not(div) { grid-column: 1 / -1; margin: 0; }
.result img { width: 9rem; height: 9rem; object-fit: cover; border-radius: 6px; background: white; }
.result h3 { overflow-wrap: anywhere; }
.result ol { list-style: none; margin: 0; padding: 0; }
.result li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 0.75rem; padding: 0.15rem 0; }
.result li:first-child .label { font-weight: 600; }
.label { overflow-wrap: anywhere; }
.share { font-variant-numeric: tabular-nums; }
.bar { grid-column: 1 / -1; height: 6px; border-radius: 3px; background: var(--line); overflow: hidden; }
.bar i { display: block; height: 100%; width: calc(100% * var(--share)); background: var(--series-0); }
.problem { color: var(--series-4); }
@media (max-width: 30rem) {
  .result { grid-template-columns: minmax(0, 1fr); }
  .result img { width: 100%; height: auto; aspect-ratio: 1; }
}
`
