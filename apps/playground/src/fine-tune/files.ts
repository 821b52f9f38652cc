/** A file that the user chose or dropped, with its path in what was dropped. */
export interface PathFile {
  readonly path: string
  readonly file: Blob
}

/** The last part of a path. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The folder of a path; '' of a file in no folder. */
export const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0))

/** Files of an input, which has paths where folders are chosen. Hidden files are left out. */
export const chosenFiles = (files: Iterable<File>): readonly PathFile[] =>
  visible([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })))

/** Files that were dropped, those of folders included. Hidden files are left out. */
export async function droppedFiles(items: DataTransferItemList): Promise<readonly PathFile[]> {
  // The list is empty after the first await.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? [])
  return visible((await Promise.all(entries.map(filesBelow))).flat())
}

const visible = (files: readonly PathFile[]): readonly PathFile[] =>
  files.filter(({ path }) => !path.split('/').some((part) => part.startsWith('.')))

async function filesBelow(entry: FileSystemEntry): Promise<readonly PathFile[]> {
  if (entry instanceof FileSystemFileEntry) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
    return [{ path: entry.fullPath.replace(/^\//, ''), file }]
  }
  if (!(entry instanceof FileSystemDirectoryEntry)) return []
  const reader = entry.createReader()
  const files: PathFile[] = []
  for (;;) {
    // A reader returns a hundred entries at a time.
    const entries = await new Promise<readonly FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    )
    if (entries.length === 0) return files
    files.push(...(await Promise.all(entries.map(filesBelow))).flat())
  }
}
