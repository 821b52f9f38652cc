import { laws } from '@diffgrad/conformance'
import { memory, ready, setBackend } from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import { subject } from './subject.ts'

describe.each(['cpu'])('%s', (backend) => {
  const tensors = subject(backend)

  beforeAll(async () => {
    await setBackend(backend)
    await ready()
  })

  test.each(laws)('$name', async (law) => {
    await law.check(tensors)
    tensors.clear()
    expect(memory().numTensors).toBe(0)
  })
})
