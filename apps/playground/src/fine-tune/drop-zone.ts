import { element } from '../ui/element.ts'
import { chosenFiles, droppedFiles, type PathFile } from './files.ts'

/** A place to drop files and folders, with buttons to choose them. */
export interface DropZoneOptions {
  /** What may be dropped, as a sentence. */
  readonly text: string
  /** The labels of the buttons for a folder and for a file. */
  readonly folder: string
  readonly file: string
  /** The `accept` of the button for a file. */
  readonly accept: string
  onFiles(files: readonly PathFile[]): void
}

export function dropZone({ text, folder, file, accept, onFiles }: DropZoneOptions): HTMLElement {
  const chooser = (label: string, attributes: Readonly<Record<string, string | boolean>>) => {
    const input = element('input', {
      ...{ type: 'file', class: 'visually-hidden', ...attributes },
      onchange: () => {
        const files = chosenFiles(input.files ?? [])
        input.value = '' // The same files can be chosen again.
        if (files.length > 0) onFiles(files)
      },
    })
    return element('label', { class: 'button' }, input, element('span', {}, label))
  }
  const node = element(
    'div',
    {
      class: 'drop-zone',
      ondragover: (event) => {
        event.preventDefault()
        node.classList.add('over')
      },
      ondragleave: () => node.classList.remove('over'),
      ondrop: (event) => {
        event.preventDefault()
        node.classList.remove('over')
        if (!(event instanceof DragEvent) || !event.dataTransfer) return
        void droppedFiles(event.dataTransfer.items).then((files) => {
          if (files.length > 0) onFiles(files)
        })
      },
    },
    element('p', {}, text),
    element(
      'div',
      { class: 'form-row' },
      chooser(folder, { webkitdirectory: true }),
      chooser(file, { accept, multiple: true }),
    ),
  )
  return node
}
