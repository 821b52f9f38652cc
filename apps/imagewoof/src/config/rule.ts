import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import {
  defineRule,
  describe,
  isPlainObject,
  numbers,
  stepKernels,
  type UpdateRule,
  type Values,
} from '@diffgrad/core'
import { Failure, messageOf } from '../failure.ts'
import { rules } from './choices.ts'

/** The settings that select an update rule. */
interface RuleSettings {
  /** A name in `rules`, or the path of a module whose default export is an update rule. */
  readonly optimizer: string
  /** SHA-256 of the module, once it is recorded. */
  readonly optimizerHash?: string | undefined
}

/**
 * The number of training batches whose mean statistics become the running statistics at a rule's evaluation point:
 * the first of each epoch, augmented, passed again after the epoch.
 */
export const statisticsBatches = 20

/** Whether a value of `--optimizer` is the path of a module. */
export const isRuleModule = (optimizer: string): boolean => /\.m?js$/.test(optimizer)

/**
 * The update rule of a configuration.
 *
 * @throws {Failure} If its module cannot be loaded, has changed, or exports no update rule by default.
 */
export function ruleOf({ optimizer, optimizerHash }: RuleSettings): UpdateRule {
  if (!isRuleModule(optimizer)) return rules[optimizer]
  const { rule, hash } = loadModule(optimizer)
  if (optimizerHash !== undefined && optimizerHash !== hash)
    throw new Failure(
      `--optimizer ${optimizer}: the module must be unchanged, but its SHA-256 is ${hash}, not ${optimizerHash}`,
    )
  return rule
}

/** SHA-256 of a module, without the modules that it imports. */
export const moduleHash = (optimizer: string): string => loadModule(optimizer).hash

interface LoadedModule {
  readonly rule: UpdateRule
  readonly hash: string
}

/** By absolute path. Node, too, keeps the modules of a thread as they were when it first loaded them. */
const loadedModules = new Map<string, LoadedModule>()
const requireModule = createRequire(import.meta.url)

/** Loads a module synchronously, which excludes top-level `await`, so that configurations can be resolved. */
function loadModule(optimizer: string): LoadedModule {
  const path = resolve(optimizer)
  const known = loadedModules.get(path)
  if (known) return known
  if (!existsSync(path))
    throw new Failure(
      `--optimizer ${optimizer}: no such file; a run needs the module of its rule where it was when it started`,
    )
  try {
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex')
    const loaded = { rule: checkedRule(requireModule(path).default), hash }
    loadedModules.set(path, loaded)
    return loaded
  } catch (cause) {
    throw new Failure(`--optimizer ${optimizer}: ${messageOf(cause)}`, { cause })
  }
}

/** The members that every update rule has, and their types. */
const members = {
  name: 'string',
  defaults: 'object',
  stateNames: 'function',
  coefficients: 'function',
  update: 'function',
} as const

/**
 * Checks that a value is an update rule whose first step, from θ = g = 1 and with its default options, is
 * finite: a misspelt coefficient gives NaN.
 *
 * @returns the rule, as `defineRule` returns it.
 */
function checkedRule(exported: unknown): UpdateRule {
  if (!isPlainObject(exported))
    throw new TypeError(`must export an update rule by default, but exports ${describe(exported)}`)
  for (const [member, type] of Object.entries(members))
    if (typeof exported[member] !== type)
      throw new TypeError(
        `must export an update rule by default: its ${member} must be a ${type}, but is ${describe(exported[member])}`,
      )
  const rule = defineRule(exported as unknown as UpdateRule) // Has all of `members`.
  const { update, inspect, coefficients } = stepKernels(rule, rule.defaults, 1)
  const ones = new Set<string>(['theta', 'g', ...(rule.startsAsTheta ?? [])])
  for (const kernel of [update, inspect]) {
    const state = kernel.reads.map((name) => [name, Number(ones.has(name))])
    const inputs = Object.fromEntries(state) as Values<number, 'theta' | 'g'>
    const results: Values<unknown> = kernel.evaluate(numbers, inputs, coefficients)
    const wrong = kernel.writes.find((name) => !Number.isFinite(results[name]))
    if (wrong !== undefined)
      throw new TypeError(
        `${rule.name}: ${wrong} must be finite after the first step, from θ = g = 1, but is ${results[wrong]}`,
      )
  }
  return rule
}
