/** The chooser of the leaderboard's columns. */

import {COLUMNS, DEFAULT_COLUMNS} from '../model/columns.js';
import {count} from '../model/format.js';
import {fill, h} from './dom.js';
import {menu} from './menu.js';
import {icon} from './svg.js';

/**
 * @param {() => string[]} chosen keys of the columns shown now
 * @param {(keys: string[]) => void} onChange
 * @returns {{button: HTMLElement, update: () => void}}
 */
export function columnMenu(chosen, onChange) {
  const value = h('span', {class: 'facet-value'});
  const button = h('button', {type: 'button', class: 'button facet facet-columns'}, 'Columns', value, icon('down', 12));
  menu(button, () => chooser(chosen, onChange), {label: 'Columns'});
  return {button, update: () => void fill(value, `${count(chosen().length)} of ${count(COLUMNS.length)}`)};
}

function chooser(chosen, onChange) {
  const lists = h('div', {class: 'column-lists'});
  const find = {type: 'search', class: 'field', placeholder: 'Find a column', 'aria-label': 'Find a column', autocomplete: 'off'};
  const field = h('input', {...find, on: {input: (event) => paint(event.target.value)}});
  const standard = () => {
    onChange(DEFAULT_COLUMNS);
    paint(field.value);
  };

  function paint(part = '') {
    const wanted = part.trim().toLowerCase();
    const found = COLUMNS.filter(({key, label, group}) => `${key} ${label} ${group}`.toLowerCase().includes(wanted));
    const groups = [...new Set(found.map((column) => column.group))];
    const parts = groups.map((group) => groupList(group, found.filter((column) => column.group === group), chosen, onChange));
    fill(lists, parts.length > 0 ? parts : h('p', {class: 'check-more'}, 'No such column'));
  }

  paint();
  const reset = h('button', {type: 'button', class: 'link', on: {click: standard}}, `The standard ${DEFAULT_COLUMNS.length}`);
  return h('div', {class: 'column-chooser'}, h('div', {class: 'column-head'}, field, reset), h('div', {class: 'column-scroll'}, lists));
}

function groupList(group, columns, chosen, onChange) {
  const row = ({key, label}) => {
    const toggle = (event) => {
      const now = new Set(chosen());
      if (event.target.checked) now.add(key);
      else now.delete(key);
      onChange(COLUMNS.map((column) => column.key).filter((other) => now.has(other)));
    };
    const fixed = key === 'model';
    const props = {type: 'checkbox', checked: fixed || chosen().includes(key), disabled: fixed, on: {change: toggle}};
    return h('label', {class: 'check'}, h('input', props), h('span', {class: 'check-text', title: key}, label));
  };
  return h('fieldset', {class: 'checklist'}, h('legend', null, group), columns.map(row));
}
