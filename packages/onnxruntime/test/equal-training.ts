import { expectClose } from '@diffgrad/testing/tolerance'
import { expect } from 'vitest'
import type { DeviceReport } from './fixtures/device.ts'

/** Expects that a training on a device gives the same as on the CPU, and that its state stays on the device. */
export function expectEqualTraining(device: DeviceReport, cpu: DeviceReport): void {
  const name = device.optimizer
  expect(device.outcomes, name).toEqual(cpu.outcomes)
  expectClose(device.losses, cpu.losses, { relative: 1e-3 })
  expectClose(device.evaluated, cpu.evaluated, { relative: 1e-3 })
  expectClose(device.mean, cpu.mean, { relative: 1e-3, absolute: 1e-7 })
  expect(device.resumed, name).toBe(true)
  // The images and the classes go up; the logits, which the accuracy needs, the loss and sums come down.
  expect(device.up, name).toEqual([8 * 64, 8])
  expect(
    device.down.toSorted((a, b) => b - a).filter((size) => size > 1),
    name,
  ).toEqual([8 * 3])
  expect(device.alive[0], name).toBeGreaterThan(0)
  expect(new Set(device.alive).size, name).toBe(1)
}
