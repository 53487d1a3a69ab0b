/** A list of values to choose from, with a field to find one where they are many. */

import {count} from '../model/format.js';
import {toggled} from '../model/listing.js';
import {fill, h} from './dom.js';

/** More than these are not listed at once: the field finds the others. */
const MOST = 200;
const WITH_FIELD = 10;

/**
 * @param {object} wanted
 * @param {string} wanted.label
 * @param {{value: string, count: number|null, text: string, note?: string}[]} wanted.values
 * @param {string[]} wanted.chosen
 * @param {(values: string[]) => void} wanted.onChange
 * @returns {HTMLElement}
 */
export function checklist({label, values, chosen, onChange}) {
  let now = [...chosen];
  const list = h('div', {class: 'checklist-values'});
  const clear = h('button', {type: 'button', class: 'link', hidden: now.length === 0, on: {click: () => choose([])}}, 'Clear');
  const field = values.length > WITH_FIELD ? finder(label, paint) : null;

  function choose(next) {
    now = next;
    clear.hidden = now.length === 0;
    for (const box of list.querySelectorAll('input')) box.checked = now.includes(box.value);
    onChange(now);
  }

  function row({value, text, count: runs, note}) {
    const props = {type: 'checkbox', value, checked: now.includes(value), on: {change: () => choose(toggled(now, value))}};
    const tail = note ?? (runs === null ? null : count(runs));
    const words = h('span', {class: 'check-text', title: text}, text);
    return h('label', {class: 'check'}, h('input', props), words, h('span', {class: 'check-note'}, tail));
  }

  function paint(part = '') {
    const wanted = part.trim().toLowerCase();
    const found = values.filter((one) => one.text.toLowerCase().includes(wanted));
    const rest = found.length - MOST;
    const more = rest > 0 ? h('p', {class: 'check-more'}, `${count(rest)} more: type to find them`) : null;
    const none = found.length === 0 ? h('p', {class: 'check-more'}, values.length === 0 ? 'Nothing to choose' : 'No such value') : null;
    fill(list, found.slice(0, MOST).map(row), more, none);
  }

  paint();
  return h('fieldset', {class: 'checklist'}, h('legend', null, label), field, list, clear);
}

function finder(label, paint) {
  const props = {type: 'search', class: 'field', placeholder: `Find ${label.toLowerCase()}`, 'aria-label': `Find ${label.toLowerCase()}`};
  return h('input', {...props, autocomplete: 'off', on: {input: (event) => paint(event.target.value)}});
}
