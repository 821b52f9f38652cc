// The plugin of scripts/rule-pages.ts makes this module when the page is built.
declare module 'virtual:rule-sources' {
  /** By the names of rules in lower case: the page of its source file, and the number of its paper on arXiv. */
  export const ruleSources: Readonly<
    Record<string, { readonly code: string; readonly paper?: string }>
  >
}
