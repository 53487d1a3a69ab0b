/** The line over the table of tests: how many, what filters them, and what is new. */

import {count} from '../model/format.js';
import {classLabel} from '../model/failures.js';
import {pill} from './chip.js';
import {fill, h} from './dom.js';
import {menu} from './menu.js';
import {icon} from './svg.js';

const OUTCOMES = [['', 'All', 'all'], ['failed', 'Failed', 'failed'], ['passed', 'Passed', 'passed']];
const TYPING_MS = 120;

/**
 * @param {{onSuccess: (value: string) => void, onSearch: (q: string) => void, onTake: () => void, onDrop: (name: string, value: string) => void,
 *   columns: () => {key: string, label: string, shown: boolean}[], onColumn: (key: string) => void,
 *   sort: () => string, onSort: (sort: string) => void}} asked
 */
export function testToolbar({onSuccess, onSearch, onTake, onDrop, columns, onColumn, sort, onSort}) {
  const told = h('span', {class: 'tests-told'});
  const fresh = h('span', {class: 'tests-fresh', role: 'status'});
  const filters = h('span', {class: 'tests-filters'});
  const segment = h('div', {class: 'segment', role: 'group', 'aria-label': 'Outcome'}, OUTCOMES.map(([value, , key]) => h('button', {type: 'button', 'data-outcome': key, on: {click: () => onSuccess(value)}})));
  const search = h('input', {type: 'search', class: 'field tests-search', placeholder: 'Filter the tests', 'aria-label': 'Filter the tests by words', on: {input: typed}});
  const columnButton = h('button', {type: 'button', class: 'button tests-columns'});
  menu(columnButton, () => columns().map(({key, label, shown}) => ({label, checked: shown, run: () => onColumn(key)})), {label: 'Columns'});
  const sortButton = h('button', {type: 'button', class: 'button tests-sort'}, 'Sort', icon('down', 14));
  menu(sortButton, () => sortItems(columns(), sort(), onSort), {label: 'Sort'});
  const el = h('div', {class: 'toolbar tests-bar'}, h('h2', null, 'Tests'), told, fresh, filters, h('div', {class: 'toolbar-end'}, search, segment, sortButton, columnButton));
  /** @type {any} */
  let timer = null;
  let freshCount = 0;
  let was = '';

  function typed() {
    clearTimeout(timer);
    timer = setTimeout(() => onSearch(search.value.trim()), TYPING_MS);
  }

  /** @param {{shown: number, outcome: {all: number, passed: number, failed: number}, total: number, toGo: number|null, fresh: number, reading: boolean, state: object}} now */
  function update(now) {
    const {outcome, state} = now;
    fill(told, toldText(now));
    [...segment.children].forEach((button, i) => {
      const [value, label, key] = OUTCOMES[i];
      const text = `${label} ${count(outcome[key])}`;
      if (button.textContent !== text) fill(button, text);
      button.setAttribute('aria-pressed', String(state.success === value));
    });
    if (document.activeElement !== search) search.value = state.q;
    const all = columns();
    fill(columnButton, 'Columns ', h('span', {class: 'note'}, `${all.filter((column) => column.shown).length} of ${all.length}`), icon('down', 14));
    paintFresh(now.fresh);
    paintFilters(state);
  }

  function paintFresh(n) {
    if (n === freshCount) return;
    freshCount = n;
    if (!n) fill(fresh);
    else if (fresh.firstChild) fresh.firstChild.lastChild.textContent = `${count(n)} new`;
    else fill(fresh, pill(`${count(n)} new`, onTake));
  }

  function paintFilters(state) {
    const active = ['status', 'error', 'category'].flatMap((name) => state[name].map((value) => [name, value]));
    const now = JSON.stringify(active);
    if (now === was) return;
    was = now;
    fill(filters, active.map(([name, value]) => {
      const label = name === 'category' ? value.replaceAll('_', ' ') : classLabel(value);
      return h('button', {type: 'button', class: 'chip chip-accent filter-chip', 'aria-label': `Remove the filter ${label}`, on: {click: () => onDrop(name, value)}}, label, icon('cross', 9));
    }));
  }

  return {el, update, focus: () => search.focus(), clear: () => (search.value = '')};
}

/** On a phone the table has no head to press; pressing the chosen one turns it round. */
function sortItems(columns, sort, onSort) {
  const item = ({key, label}) => {
    const chosen = sort.replace(/^-/, '') === key;
    const note = chosen && key ? (sort.startsWith('-') ? 'falling' : 'rising') : null;
    return {label, note, checked: chosen, run: () => onSort(chosen && key && !sort.startsWith('-') ? `-${key}` : key)};
  };
  return [{key: '', label: 'As they finished'}, ...columns].map(item);
}

function toldText({shown, total, toGo, reading}) {
  const tests = shown === total ? `${count(total)} ${toGo ? 'done' : total === 1 ? 'test' : 'tests'}` : `${count(shown)} of ${count(total)} tests`;
  return [tests, toGo ? `${count(toGo)} to go` : null, reading ? 'reading more' : null].filter(Boolean).join(' · ');
}
