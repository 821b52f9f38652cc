import { counting } from './counting.ts'
import type { Fact } from './fact.ts'
import { forms } from './forms.ts'
import { saving } from './saving.ts'
import { training } from './training.ts'

/** Every fact. */
export const facts: readonly Fact[] = [...forms, ...saving, ...training, ...counting]
