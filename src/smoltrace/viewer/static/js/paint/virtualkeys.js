/** Keys and presses of a virtual table's rows. */

/** What in a row answers for itself. */
export const HANDLED = 'a, button, input, label, select, textarea, summary';

/**
 * @param {object} given
 * @param {HTMLElement} given.table
 * @param {HTMLElement} given.body
 * @param {import('./virtual.js').Options} given.options as they are now: `update` changes them in place
 * @param {(index: number) => void} given.focus
 * @param {() => {first: number, last: number}} given.sight rows in sight
 */
export function listen({table, body, options, focus, sight}) {
  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const row = /** @type {HTMLElement} */ (event.target);
    if (!row.matches('tr.vt-row') || event.ctrlKey || event.metaKey || event.altKey) return;
    const index = Number(row.getAttribute('data-index'));
    if (options.onKey?.(event, options.rowAt(index), index) === true || act(event, index)) event.preventDefault();
  }

  /** @param {KeyboardEvent} event @param {number} index @returns {boolean} */
  function act(event, index) {
    const {first, last} = sight();
    const page = Math.max(last - first - 2, 1);
    /** @type {Object<string, number>} */
    const to = {j: index + 1, ArrowDown: index + 1, k: index - 1, ArrowUp: index - 1, Home: 0, End: options.count - 1, PageDown: index + page, PageUp: index - page};
    if (Object.hasOwn(to, event.key)) focus(to[event.key]);
    else if (event.key === 'Enter' && options.onOpen && options.rowAt(index) !== undefined) options.onOpen(options.rowAt(index), index, event);
    else return false;
    return true;
  }

  /** @param {MouseEvent} event */
  function onClick(event) {
    const target = /** @type {Element} */ (event.target);
    const tr = target.closest('tr.vt-row');
    // Who has just marked a cell's text wants to copy it.
    if (!tr || !options.onOpen || target.closest(HANDLED) || String(getSelection()).length) return;
    const index = Number(tr.getAttribute('data-index'));
    const row = options.rowAt(index);
    if (row !== undefined) options.onOpen(row, index, event);
  }

  table.addEventListener('keydown', onKey);
  body.addEventListener('click', onClick);
}
