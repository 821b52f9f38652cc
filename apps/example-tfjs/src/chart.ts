/** Draws all losses, from the first on, and their running mean. */
export function drawLosses(canvas: HTMLCanvasElement, losses: readonly number[]): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const { width, height } = canvas
  const highest = Math.max(...losses)
  const x = (step: number): number => (step / Math.max(losses.length - 1, 1)) * width
  const y = (loss: number): number => height - (loss / highest) * 0.92 * height
  const line = (values: readonly number[], thickness: number, alpha: number): void => {
    context.globalAlpha = alpha
    context.lineWidth = thickness
    context.beginPath()
    for (const [step, value] of values.entries()) context.lineTo(x(step), y(value))
    context.stroke()
  }
  context.clearRect(0, 0, width, height)
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue('--loss')
  context.lineJoin = 'round'
  line(losses, 2, 0.35)
  line(smoothed(losses), 5, 1)
}

const smoothed = (losses: readonly number[]): readonly number[] => {
  let mean = losses[0]
  return losses.map((loss) => {
    mean += 0.1 * (loss - mean)
    return mean
  })
}
