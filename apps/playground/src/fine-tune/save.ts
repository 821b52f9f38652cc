import type { ExportedFile } from './session.ts'

/** A folder that the user has opened for the page. */
type Directory = FileSystemDirectoryHandle

/** Whether this browser lets a page write folders. */
export const savesFolders = (): boolean => 'showDirectoryPicker' in globalThis

/**
 * Lets the user choose a folder, and writes the files into a new folder in it. Nothing is replaced.
 *
 * @returns the name of the new folder.
 * @throws {Error} If the user allows no folder, or a file cannot be written.
 */
export async function saveFolder(name: string, files: readonly ExportedFile[]): Promise<string> {
  const parent = await chooseDirectory()
  const free = await freeName(parent, name)
  const folder = await parent.getDirectoryHandle(free, { create: true })
  for (const { path, content } of files) {
    const parts = path.split('/')
    const last = parts.pop() ?? ''
    let directory: Directory = folder
    for (const part of parts) directory = await directory.getDirectoryHandle(part, { create: true })
    const file = await directory.getFileHandle(last, { create: true })
    const stream = await file.createWritable()
    await stream.write(content)
    await stream.close()
  }
  return free
}

async function chooseDirectory(): Promise<Directory> {
  const picker: unknown = Reflect.get(globalThis, 'showDirectoryPicker')
  if (typeof picker !== 'function') throw new Error('this browser does not let pages write folders')
  return picker({ mode: 'readwrite' })
}

/** The name, or the name with the first number that makes it new. */
async function freeName(parent: Directory, name: string): Promise<string> {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}-${i}`
    const exists = await parent.getDirectoryHandle(candidate).then(
      () => true,
      () => false,
    )
    if (!exists) return candidate
  }
}

/** Downloads a file that the page holds. */
export function saveFile(name: string, content: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([content], { type: 'application/zip' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
