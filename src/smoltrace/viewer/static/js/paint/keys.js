/** One table of keys for a screen. `?` lists it; nothing happens while the reader types. */
import {dialog} from './dialog.js';
import {h, isField} from './dom.js';

/**
 * @typedef {object} Key
 * @property {string} keys as `KeyboardEvent.key` names them; several that do the same with a space between: `j ArrowDown`; `Ctrl+k`
 * @property {string} label what it does
 * @property {(event: KeyboardEvent) => boolean} [when] whether it acts now
 * @property {(event: KeyboardEvent) => void} [run] none: only told in the list (a table's own keys)
 * @property {string} [group] heading in the list
 */

/** @type {Set<Key[]>} */
const tables = new Set();
let installed = false;

const SIGNS = {ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', PageDown: 'Page ↓', PageUp: 'Page ↑'};

/**
 * @param {Key[]} list
 * @returns {() => void} takes them away again
 */
export function keys(list) {
  tables.add(list);
  if (!installed) {
    installed = true;
    document.addEventListener('keydown', onKey);
  }
  return () => tables.delete(list);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]:modal')) return;
  if (isField(event.target) && event.key !== 'Escape') return;
  for (const list of [...tables].reverse()) {
    for (const key of list) {
      if (!key.run || !fits(key.keys, event) || (key.when && !key.when(event))) continue;
      event.preventDefault();
      key.run(event);
      return;
    }
  }
}

/** @param {string} names @param {KeyboardEvent} event */
function fits(names, event) {
  const control = event.ctrlKey || event.metaKey;
  return names.split(' ').some((name) => {
    const parts = name.length > 1 ? name.split('+') : [name];
    const last = parts[parts.length - 1];
    if (parts.includes('Ctrl') !== control || parts.includes('Alt') !== event.altKey) return false;
    if (parts.includes('Shift') && !event.shiftKey) return false;
    if (event.shiftKey && !parts.includes('Shift') && last.length > 1) return false;
    return (last === 'Space' ? ' ' : last) === event.key;
  });
}

/** Keys as small outlined caps. @param {string} names */
export function caps(names) {
  return names.split(' ').map((name) => h('kbd', null, name.split('+').length > 1 && name.length > 1 ? name.split('+').join(' + ') : SIGNS[name] ?? name));
}

/** The list of all keys that this screen knows. */
export function showKeys() {
  /** @type {Map<string, Key[]>} */
  const groups = new Map();
  for (const list of tables) {
    for (const key of list) {
      const name = key.group ?? (list === [...tables][0] ? 'Everywhere' : 'This screen');
      groups.set(name, [...(groups.get(name) ?? []), key]);
    }
  }
  const parts = [...groups].reverse().map(([name, list]) =>
    h('section', {class: 'keys-group'}, h('h3', null, name), h('dl', {class: 'keys-list'}, list.map((key) => h('div', null, h('dt', null, caps(key.keys)), h('dd', null, key.label))))),
  );
  return dialog({title: 'Keys', body: h('div', {class: 'keys'}, parts)});
}
