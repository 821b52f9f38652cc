import { landscapeViews } from './landscapes.ts'
import {
  configure,
  type OptimizerConfig,
  validationError,
  withOption,
} from './optimizers/config.ts'
import { isOptimizerName, type OptionValue, optimizers } from './optimizers/registry.ts'
import { stories, storyState } from './race/stories.ts'
import {
  defaultEvidence,
  defaultFineTuning,
  defaultRace,
  defaultSwarm,
  defaultTraining,
  type EvidenceState,
  type FineTuneState,
  maxBatch,
  maxDraws,
  maxFineTuneSteps,
  maxRaceOptimizers,
  maxRaceSteps,
  maxRank,
  maxSwarmSteps,
  maxSwarms,
  maxTrainSteps,
  type RaceState,
  type State,
  type SwarmState,
  type TrainState,
} from './state.ts'

/** Encodes a state as a URL hash, so that the page works under any path. */
export function encodeState(state: State): string {
  switch (state.tab) {
    case 'race':
      return `#race?${encodeQuery(encodeRace(state))}`
    case 'swarm':
      return `#swarm?${encodeQuery(encodeSwarm(state))}`
    case 'train':
      return `#train?${encodeQuery(encodeTraining(state))}`
    case 'fine-tune':
      return `#fine-tune?${encodeQuery(encodeFineTuning(state))}`
    case 'evidence':
      return `#evidence?draws=${state.draws}&runs=${state.runs}`
  }
}

/** Decodes a URL hash. Missing and invalid values get their defaults. */
export function decodeState(hash: string): State {
  const [tab, text = ''] = hash.replace(/^#/, '').split('?')
  const query = new URLSearchParams(text)
  if (tab === 'swarm') return decodeSwarm(query)
  if (tab === 'train') return decodeTraining(query)
  if (tab === 'fine-tune') return decodeFineTuning(query)
  if (tab === 'evidence') return decodeEvidence(query)
  return decodeRace(query)
}

/** Encodes an optimizer with the options that differ from the defaults: `adam,learningRate:0.05,lossScale:100`. */
export function encodeOptimizer({ name, options, lossScale }: OptimizerConfig): string {
  const changed = Object.entries(options).map(([option, value]) => `${option}:${value}`)
  return [name, ...changed, ...(lossScale === 1 ? [] : [`lossScale:${lossScale}`])].join(',')
}

/**
 * Decodes what `encodeOptimizer` wrote. Unknown and invalid options get their defaults.
 *
 * @returns undefined if there is no optimizer of that name.
 */
export function decodeOptimizer(text: string): OptimizerConfig | undefined {
  const [name, ...changes] = text.split(',')
  if (!isOptimizerName(name)) return undefined
  const { defaults } = optimizers[name]
  let decoded = configure(name)
  const requested = new Map<string, OptionValue>()
  for (const change of changes) {
    const [option, value = ''] = change.split(':')
    if (option === 'lossScale') {
      const lossScale = Number(value)
      if (lossScale > 0 && Number.isFinite(lossScale)) decoded = { ...decoded, lossScale }
    } else if (Object.hasOwn(defaults, option)) {
      requested.set(option, parseOption(value, defaults[option]))
    }
  }
  return withValidOptions(decoded, [...requested])
}

/** Applies the valid options in any order, because one may be valid only after another. */
function withValidOptions(
  config: OptimizerConfig,
  requested: readonly (readonly [string, OptionValue])[],
): OptimizerConfig {
  for (const [i, [option, value]] of requested.entries()) {
    const changed = withOption(config, option, value)
    if (validationError(changed) === undefined) {
      return withValidOptions(changed, requested.toSpliced(i, 1))
    }
  }
  return config
}

function parseOption(text: string, standard: OptionValue): OptionValue {
  if (typeof standard === 'number') return Number(text)
  return typeof standard === 'boolean' ? text === 'true' : text
}

/** A race of a story is encoded as the name of the story. */
function encodeRace(state: RaceState): Query {
  const { landscape, start, optimizers, steps, currentStep, speed, selected, story } = state
  const view: Query = [
    ['at', currentStep],
    ['speed', speed],
    ['see', selected],
  ]
  if (story !== undefined) return [['story', story], ...view]
  return [
    ['on', landscape],
    ['from', start.join(',')],
    ['steps', steps],
    ...encodeOptimizers(optimizers),
    ...view,
  ]
}

function decodeRace(query: URLSearchParams): RaceState {
  const story = query.get('story')
  const race =
    story !== null && Object.hasOwn(stories, story) ? storyState(story) : decodeCustomRace(query)
  return {
    ...race,
    currentStep: decodeInteger(query, 'at', [0, race.steps], race.currentStep),
    speed: decodeInteger(query, 'speed', [1, 240], race.speed),
    selected: decodeInteger(query, 'see', [0, race.optimizers.length - 1], race.selected),
  }
}

function decodeCustomRace(query: URLSearchParams): RaceState {
  if ([...query.keys()].length === 0) return storyState(Object.keys(stories)[0])
  const on = query.get('on') ?? ''
  const landscape = Object.hasOwn(landscapeViews, on) ? on : defaultRace.landscape
  const { window, start } = landscapeViews[landscape]
  const from = (query.get('from') ?? '').split(',').map((x) => (x === '' ? Number.NaN : Number(x)))
  const valid = from.length === window.length && from.every(Number.isFinite)
  const optimizers = decodeOptimizers(query, maxRaceOptimizers)
  return {
    ...defaultRace,
    landscape,
    start: valid ? from : start,
    optimizers: optimizers.length > 0 ? optimizers : defaultRace.optimizers,
    steps: decodeInteger(query, 'steps', [1, maxRaceSteps], defaultRace.steps),
    selected: 0,
  }
}

const encodeSwarm = (state: SwarmState): Query => [
  ['on', state.landscape],
  ['mode', state.mode],
  ['view', state.view],
  ['beta', state.beta],
  ['steps', state.steps],
  ...encodeOptimizers(state.optimizers),
]

function decodeSwarm(query: URLSearchParams): SwarmState {
  const on = query.get('on') ?? ''
  const mode = decodeChoice(query, 'mode', ['starts', 'sweep'])
  const valid =
    Object.hasOwn(landscapeViews, on) &&
    (mode === 'sweep' || landscapeViews[on].window.length === 2)
  const optimizers = decodeOptimizers(query, maxSwarms)
  return {
    tab: 'swarm',
    landscape: valid ? on : defaultSwarm.landscape,
    mode,
    view: decodeChoice(query, 'view', ['map', 'cloud']),
    beta: decodeChoice(query, 'beta', ['beta1', 'beta2']),
    steps: decodeInteger(query, 'steps', [1, maxSwarmSteps], defaultSwarm.steps),
    optimizers: optimizers.length > 0 ? optimizers : defaultSwarm.optimizers,
  }
}

const encodeTraining = (state: TrainState): Query => [
  ['engine', state.provider],
  ['steps', state.steps],
  ['seed', state.seed],
  ...encodeOptimizers(state.optimizers),
]

function decodeTraining(query: URLSearchParams): TrainState {
  // Trainings do not scale the loss.
  const [first, second] = decodeOptimizers(query, 2).map((config) => ({ ...config, lossScale: 1 }))
  return {
    tab: 'train',
    provider: decodeChoice(query, 'engine', ['wasm', 'webgpu']),
    optimizers: [first ?? defaultTraining.optimizers[0], second ?? defaultTraining.optimizers[1]],
    steps: decodeInteger(query, 'steps', [1, maxTrainSteps], defaultTraining.steps),
    seed: decodeInteger(query, 'seed', [0, 2 ** 31 - 1], defaultTraining.seed),
  }
}

const encodeFineTuning = (state: FineTuneState): Query => [
  ['method', state.method],
  ['rank', state.rank],
  ['engine', state.provider],
  ['steps', state.steps],
  ['batch', state.batch],
  ['seed', state.seed],
  ...encodeOptimizers([state.optimizer]),
]

function decodeFineTuning(query: URLSearchParams): FineTuneState {
  const [optimizer = defaultFineTuning.optimizer] = decodeOptimizers(query, 1)
  const { rank, steps, batch, seed } = defaultFineTuning
  return {
    tab: 'fine-tune',
    method: decodeChoice(query, 'method', ['lora', 'head']),
    rank: decodeInteger(query, 'rank', [1, maxRank], rank),
    provider: decodeChoice(query, 'engine', ['wasm', 'webgpu']),
    steps: decodeInteger(query, 'steps', [1, maxFineTuneSteps], steps),
    batch: decodeInteger(query, 'batch', [1, maxBatch], batch),
    seed: decodeInteger(query, 'seed', [0, 2 ** 31 - 1], seed),
    optimizer: { ...optimizer, lossScale: 1 },
  }
}

const decodeEvidence = (query: URLSearchParams): EvidenceState => ({
  tab: 'evidence',
  draws: decodeInteger(query, 'draws', [1, maxDraws], defaultEvidence.draws),
  runs: Number(decodeChoice(query, 'runs', ['1', '5', '25'])),
})

/** Query parameters in order; a name may occur several times. */
type Query = readonly (readonly [name: string, value: string | number])[]

/** Characters that stay unescaped, so that people can read the URL. */
const unescaped: Readonly<Record<string, string>> = { '%2C': ',', '%3A': ':' }

const encodeQuery = (query: Query): string =>
  query
    .map(([name, value]) => {
      const encoded = encodeURIComponent(value).replace(/%2C|%3A/g, (code) => unescaped[code])
      return `${name}=${encoded}`
    })
    .join('&')

const encodeOptimizers = (optimizers: readonly OptimizerConfig[]): Query =>
  optimizers.map((config) => ['o', encodeOptimizer(config)] as const)

const decodeOptimizers = (query: URLSearchParams, limit: number): readonly OptimizerConfig[] =>
  query
    .getAll('o')
    .map(decodeOptimizer)
    .filter((config) => config !== undefined)
    .slice(0, limit)

/** Decodes a whole number, clamped to a range; anything else gives the fallback. */
function decodeInteger(
  query: URLSearchParams,
  name: string,
  [low, high]: readonly [low: number, high: number],
  fallback: number,
): number {
  const text = query.get(name)
  const value = Number(text)
  if (text === null || text === '' || !Number.isSafeInteger(value)) return fallback
  return Math.min(Math.max(value, low), high)
}

/** Decodes one of several words; the first one is the fallback. */
const decodeChoice = <W extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly [W, ...W[]],
): W => choices.find((choice) => choice === query.get(name)) ?? choices[0]
