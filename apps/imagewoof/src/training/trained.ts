import { Failure } from '../failure.ts'
import { RunFolder, type Which } from '../run/run-folder.ts'
import { openSession, type Session } from './session.ts'

/**
 * Opens a run's data and its network, with the weights of a checkpoint.
 *
 * @throws {Failure} If the folder is no run's, or has no such checkpoint.
 */
export async function openTrained(path: string, which: Which): Promise<Session> {
  const folder = await RunFolder.open(path)
  const checkpoint = await folder.checkpoint(which)
  if (!checkpoint)
    throw new Failure(
      `${path}: has no ${which} checkpoint yet; ${which === 'best' ? 'no epoch is over' : 'no step was saved'}`,
    )
  const session = await openSession(await folder.config())
  try {
    await session.engine.load(checkpoint)
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}
