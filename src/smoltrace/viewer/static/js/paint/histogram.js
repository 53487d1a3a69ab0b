/** How tests failed, as bars that filter: by class, by category, by status. */

import {count} from '../model/format.js';
import {fill, h, setStyle} from './dom.js';

const WAYS = [['error', 'Class'], ['category', 'Category'], ['status', 'Status']];

/**
 * @param {{onWay: (way: string) => void, onToggle: (way: string, value: string) => void, onClear: (way: string) => void}} asked
 * @returns {{el: HTMLElement, update: (found: object, chosen: string[], live?: boolean) => void}}
 */
export function failurePanel({onWay, onToggle, onClear}) {
  const total = h('span', {class: 'failures-total'});
  const tabs = h('div', {class: 'segment segment-small', role: 'group', 'aria-label': 'Count failures by'}, WAYS.map(([way, label]) => h('button', {type: 'button', 'data-way': way, on: {click: () => onWay(way)}}, label)));
  const list = h('ul', {class: 'failure-list'});
  const hint = h('p', {class: 'failure-hint'});
  const clear = h('button', {type: 'button', class: 'link', hidden: true, on: {click: () => onClear(state.way)}}, 'Show all again');
  const el = h('section', {class: 'failures', 'aria-label': 'Failures'}, h('div', {class: 'failures-head'}, h('h2', null, 'Failures'), total), tabs, list, hint, clear);
  let state = {way: 'error'};
  let was = '';

  function update(found, chosen) {
    const now = JSON.stringify([found, chosen]);
    if (now === was) return;
    was = now;
    state = found;
    fill(total, `${count(found.failed)} of ${count(found.of)}`);
    for (const tab of tabs.children) tab.setAttribute('aria-pressed', String(tab.dataset.way === found.way));
    paintBars(found, chosen);
    clear.hidden = !chosen.length;
    fill(hint, hintText(found, chosen));
  }

  function paintBars({way, bars}, chosen) {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.value : null;
    const most = Math.max(...bars.map((each) => each.count), 1);
    fill(list, bars.map((each) => h('li', null, bar(way, each, most, chosen))));
    if (focused !== null) [...list.querySelectorAll('button')].find((button) => button.dataset.value === focused)?.focus();
  }

  function bar(way, {value, label, count: failed, of}, most, chosen) {
    const line = h('span', {class: 'failure-bar', 'aria-hidden': 'true'});
    setStyle(line, {width: `${(100 * failed) / most}%`});
    const number = way === 'category' ? [count(failed), h('span', {class: 'of'}, ` of ${count(of)}`)] : count(failed);
    const pressed = chosen.includes(value);
    return h('button', {type: 'button', 'data-value': value, 'aria-pressed': String(pressed), on: {click: () => onToggle(way, value)}}, h('span', {class: 'failure-name', title: label}, label), h('span', {class: 'failure-count'}, number), line);
  }

  return {el, update};
}

function hintText({failed, of, way}, chosen) {
  if (!of) return 'No test here yet.';
  if (!failed) return 'No test failed.';
  if (chosen.length) return 'The table and the bands show these only.';
  return `Choose a ${way === 'error' ? 'class' : way} to filter the table and the bands.`;
}
