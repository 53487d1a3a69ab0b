/** Light, dark, or as the system has it. Canvas painters listen to `smoltrace:theme` on the window. */
import {h} from './dom.js';
import {menu} from './menu.js';
import {icon} from './svg.js';

const NAME = 'smoltrace-theme';
/** Holds the choice where the browser refuses storage. @type {{choice: string|null}} */
const memory = {choice: null};

/** @returns {string} system|light|dark */
function choice() {
  try {
    return localStorage.getItem(NAME) ?? memory.choice ?? 'system';
  } catch {
    return memory.choice ?? 'system';
  }
}

/** @param {string} theme system|light|dark */
function setTheme(theme) {
  memory.choice = theme;
  try {
    if (theme === 'system') localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, theme);
  } catch {
    memory.choice = theme;  // for this page only
  }
  const dark = theme === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  dispatchEvent(new CustomEvent('smoltrace:theme', {detail: dark ? 'dark' : 'light'}));
}

/** @returns {HTMLElement} */
export function themeButton() {
  const button = h('button', {type: 'button', class: 'icon-button', 'aria-label': 'Theme', title: 'Theme'}, icon('theme'));
  const words = {system: 'As the system', light: 'Light', dark: 'Dark'};
  menu(button, () => Object.entries(words).map(([name, label]) => ({label, checked: choice() === name, close: true, run: () => setTheme(name)})), {label: 'Theme'});
  return button;
}
