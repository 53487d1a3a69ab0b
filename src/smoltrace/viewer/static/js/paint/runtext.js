/** A text of any length: the first lines, and whole on demand; what is cut is always told. */

import {count} from '../model/format.js';
import {h} from './dom.js';
import {copy} from './menu.js';
import {icon} from './svg.js';

/** Longer ones begin folded. */
const LINES = 12;
const CHARACTERS = 1200;
/** So much of an open text is painted at once: a browser lays out megabytes in seconds. */
const PIECE = 60_000;

/**
 * @typedef {string|{cut: string, chars: number, ref: string}} Long a text, or its beginning where it is very long
 * @param {Long} value
 * @param {{class?: string, whole?: ((ref: string) => Promise<string>)|null, mono?: boolean}} [options] `whole` fetches the rest
 */
export function longText(value, {class: className = '', whole = null, mono = false} = {}) {
  const cut = typeof value === 'object' && value !== null;
  let text = cut ? value.cut : String(value);
  let missing = cut;
  const long = text.length > CHARACTERS || text.split('\n').length > LINES;
  let open = !long && !cut;
  let wanted = PIECE;
  const body = h('pre', {class: ['run-long-text', mono ? 'run-long-mono' : null, className]});
  const note = h('span', {class: 'run-long-note'});
  const expand = h('button', {type: 'button', class: 'link', on: {click: toggle}});
  const more = h('button', {type: 'button', class: 'link', on: {click: () => paint(wanted + PIECE)}});
  const copyButton = h('button', {type: 'button', class: 'icon-button run-long-copy', 'aria-label': 'Copy', title: 'Copy', on: {click: copyAll}}, icon('copy', 14));

  function paint(upTo = wanted) {
    wanted = upTo;
    const here = Math.min(wanted, text.length);
    if (body.textContent.length !== here) body.textContent = text.slice(0, here);
    body.classList.toggle('folded', !open);
    expand.hidden = !long && !cut;
    expand.textContent = open ? 'Fold' : 'Expand';
    more.hidden = !open || here === text.length;
    more.textContent = `Show ${count(Math.min(PIECE, text.length - here))} more`;
    const all = missing ? value.chars : text.length;
    note.textContent = open ? partWords(here, text.length, all) : `${count(all)} characters`;
  }

  async function fetchRest() {
    if (!missing || !whole) return;
    text = await whole(value.ref);
    missing = false;
  }

  async function toggle() {
    if (!open) await tried(fetchRest);
    open = !open;
    paint(PIECE);
  }

  async function copyAll() {
    await tried(fetchRest);
    paint();
    await copy(text, copyButton);
  }

  async function tried(work) {
    try {
      await work();
    } catch (error) {
      note.textContent = error.message;
    }
  }

  paint();
  return h('div', {class: 'run-long'}, body, copyButton, h('div', {class: 'run-long-foot'}, expand, more, note));
}

/** How much of an open text is painted, where that is not all. @param {number} here @param {number} there what the page has @param {number} all */
function partWords(here, there, all) {
  if (here === all) return '';
  return `${count(here)} of ${count(all)} characters${here === there ? ' are here; the trace has all' : ''}`;
}
