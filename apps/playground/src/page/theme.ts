type Theme = 'light' | 'dark'

const dark = matchMedia('(prefers-color-scheme: dark)')

/** The theme that was chosen here. A browser that is told to keep nothing throws instead. */
function chosen(): string | null {
  try {
    return localStorage.getItem('theme')
  } catch {
    return document.documentElement.dataset.theme ?? null
  }
}

function choose(theme: Theme): void {
  try {
    localStorage.setItem('theme', theme)
  } catch {
    document.documentElement.dataset.theme = theme
  }
}

/** The theme in use: the one that was chosen here, or the system's. */
function themeNow(): Theme {
  const theme = chosen()
  if (theme === 'light' || theme === 'dark') return theme
  return dark.matches ? 'dark' : 'light'
}

/** Lets a button change the theme; charts hear of it by the event `themechange`. */
export function followTheme(button: HTMLElement): void {
  const apply = (): void => {
    const theme = themeNow()
    document.documentElement.dataset.theme = theme
    button.textContent = theme === 'dark' ? 'Light' : 'Dark'
    button.setAttribute('aria-label', `Use the ${theme === 'dark' ? 'light' : 'dark'} theme`)
    document.dispatchEvent(new Event('themechange'))
  }
  button.addEventListener('click', () => {
    choose(themeNow() === 'dark' ? 'light' : 'dark')
    apply()
  })
  dark.addEventListener('change', apply)
  apply()
}
