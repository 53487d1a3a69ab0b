/** The sheet's colours for canvases. They are asked for once a theme: a question to the sheet can cost a whole layout. */

const NAMES = ['--k-agent', '--k-step', '--k-chat', '--k-tool', '--ctl', '--tx', '--tx3', '--fail', '--fail-fill', '--line', '--line2'];

/** @type {Object<string, string>|null} */
let known = null;

/** @returns {Object<string, string>} by the names of the sheet; `font`: the page's family */
export function inks() {
  if (known) return known;
  const style = getComputedStyle(document.documentElement);
  known = {font: getComputedStyle(document.body).fontFamily};
  for (const name of NAMES) known[name] = style.getPropertyValue(name).trim();
  return known;
}

/** Calls `fn` when the theme has changed and the colours are others. @param {() => void} fn */
export function onInks(fn) {
  const changed = () => {
    known = null;
    fn();
  };
  addEventListener('smoltrace:theme', changed);
  // where the system's theme is followed, the sheet changes with it
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}
