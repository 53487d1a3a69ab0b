/** The bar above the rows on a phone: filter, sort, compare. */

import {columnsOf} from '../model/columns.js';
import {count} from '../model/format.js';
import {compareButton} from './boardhead.js';
import {fill, h} from './dom.js';
import {menu} from './menu.js';
import {icon} from './svg.js';

const SORTS = ['-success_rate', '_cost', 'p50_duration_ms', 'avg_tokens_per_test', '_energy', '_co2', 'model', '-evaluation_date'];

/**
 * @param {{pins: () => string[], onFilter: () => void, onSort: (sort: string) => void, onRefused: (reason: string) => void}} does
 * @returns {{el: HTMLElement, update: (shown: {pins: string[], sort: string, filters: number}) => void}}
 */
export function phoneBar({pins, onFilter, onSort, onRefused}) {
  const set = h('span', {class: 'facet-value'});
  const filter = h('button', {type: 'button', class: 'button', on: {click: onFilter}}, 'Filter', set);
  const order = h('span', null);
  const sort = h('button', {type: 'button', class: 'button'}, h('span', {class: 'sr'}, 'Sort by '), order, icon('down', 12));
  let current = '';
  const item = (one) => ({label: labelOf(one), checked: one === current, close: true, run: () => onSort(one)});
  menu(sort, () => SORTS.map(item), {label: 'Sort by'});
  const compare = compareButton(pins, onRefused);
  return {
    el: h('div', {class: 'phone-bar'}, filter, sort, compare.el),
    update(shown) {
      current = shown.sort;
      fill(set, shown.filters === 0 ? 'none' : count(shown.filters));
      fill(order, labelOf(shown.sort.split(',')[0]));
      compare.update();
    },
  };
}

function labelOf(sort) {
  const key = sort.replace(/^-/, '');
  const column = columnsOf([key]).find((one) => one.key === key);
  return column === undefined ? key : column.label.replace(' %', '');
}
