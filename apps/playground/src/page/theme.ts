type Theme = 'light' | 'dark'

const dark = matchMedia('(prefers-color-scheme: dark)')

/** The theme in use: the one that was chosen here, or the system's. */
function themeNow(): Theme {
  const chosen = localStorage.getItem('theme')
  if (chosen === 'light' || chosen === 'dark') return chosen
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
    localStorage.setItem('theme', themeNow() === 'dark' ? 'light' : 'dark')
    apply()
  })
  dark.addEventListener('change', apply)
  apply()
}
