import { laws } from '@diffgrad/conformance'
import { memory, ready, setBackend } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, test } from 'vitest'
import { registerPlain } from './plain.ts'
import { subject } from './subject.ts'

describe.each(['cpu', 'wasm', 'plain'])('%s', (backend) => {
  const tensors = subject(backend)

  beforeAll(async () => {
    if (backend === 'plain') registerPlain()
    await setBackend(backend)
    await ready()
  })

  test.each(laws)('$name', async (law) => {
    await law.check(tensors)
    tensors.clear()
    expect(memory().numTensors).toBe(0)
  })
})
