// Dark or light: as the system says, until the admin says otherwise in this browser.

const NAME = 'holdfast.theme';
const ORDER = ['system', 'light', 'dark'];

const stored = () => {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null; // a browser that keeps nothing
  }
};

export const chosen = () => (ORDER.includes(stored()) ? stored() : 'system');

export function apply(theme = chosen()) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function next() {
  const theme = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    /* it lasts as long as the page, then */
  }
  apply(theme);
  dispatchEvent(new Event('theme'));
  return theme;
}

// The value of a colour of style.css, for what is drawn on a canvas.
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
