type Theme = 'light' | 'dark'

const prefersDark = matchMedia('(prefers-color-scheme: dark)')

/** The theme that the user chose. Where storage is blocked, it lasts until the page is closed. */
function storedTheme(): string | null {
  try {
    return localStorage.getItem('theme')
  } catch {
    return document.documentElement.dataset.theme ?? null
  }
}

function storeTheme(theme: Theme): void {
  try {
    localStorage.setItem('theme', theme)
  } catch {
    document.documentElement.dataset.theme = theme
  }
}

/** The theme that the user chose, else the system's. */
function currentTheme(): Theme {
  const theme = storedTheme()
  if (theme === 'light' || theme === 'dark') return theme
  return prefersDark.matches ? 'dark' : 'light'
}

/** Applies the theme, and lets a button toggle it. Dispatches `themechange` on the document after each change. */
export function setUpTheme(button: HTMLElement): void {
  const apply = (): void => {
    const theme = currentTheme()
    document.documentElement.dataset.theme = theme
    button.textContent = theme === 'dark' ? 'Light' : 'Dark'
    button.setAttribute('aria-label', `Use the ${theme === 'dark' ? 'light' : 'dark'} theme`)
    document.dispatchEvent(new Event('themechange'))
  }
  button.addEventListener('click', () => {
    storeTheme(currentTheme() === 'dark' ? 'light' : 'dark')
    apply()
  })
  prefersDark.addEventListener('change', apply)
  apply()
}
