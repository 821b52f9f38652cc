import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import * as chai from 'chai'

// Replaces vitest in the page, where no test runner is: the laws and checks use `expect` only.
chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const { expect } = chai
export const test = (): void => {}
export const describe = (): void => {}
