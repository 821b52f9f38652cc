import { getSystemErrorMap } from 'node:util'

/** An error that the user can fix: only its message is printed, without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure'
}

/** A folder that was to be created, and exists. */
export class FolderExists extends Failure {}

/** A training or validation loss that is not finite. Repeating the run gives the same result. */
export class Divergence extends Failure {}

/** A file that cannot be written, as on a full disk. */
export class WriteFailure extends Failure {
  constructor(path: string, cause: unknown) {
    super(`${path}: cannot be written: ${reasonOf(cause)}`, { cause })
  }
}

/** Such as `no space left on device (ENOSPC)`, without the path or address that messages of Node end in. */
export function reasonOf(cause: unknown): string {
  const errno = cause instanceof Error && 'errno' in cause ? Number(cause.errno) : 0
  const [code, text] = getSystemErrorMap().get(errno) ?? []
  return code === undefined ? messageOf(cause) : `${text} (${code})`
}

/** The message of anything thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
