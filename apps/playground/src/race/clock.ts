/** Longer pauses between frames, as of a hidden page, do not count; nor does a frame that began earlier. */
const longest = 0.1

/** Where a race stands some seconds later; it does not pass its end. */
export const advanced = (
  position: number,
  seconds: number,
  { speed, steps }: { readonly speed: number; readonly steps: number },
): number => Math.min(position + Math.min(Math.max(seconds, 0), longest) * speed, steps)
