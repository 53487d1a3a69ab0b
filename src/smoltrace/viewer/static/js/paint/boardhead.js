/** The title row of the leaderboard: which runs these are, the axis, downloads, and "Compare". */

import {AXES} from '../model/axes.js';
import {compareReason} from '../model/boardstate.js';
import {count} from '../model/format.js';
import {shortName} from '../model/runname.js';
import {href} from '../model/state.js';
import {fill, h, uid} from './dom.js';
import {download, menu} from './menu.js';
import {icon} from './svg.js';

const FORMATS = [
  {format: 'csv', label: 'CSV', mime: 'text/csv'},
  {format: 'json', label: 'JSON', mime: 'application/json'},
  {format: 'parquet', label: 'Parquet', mime: 'application/vnd.apache.parquet'},
];

/**
 * What stands behind the title: `12 runs · basics · 44 tests · same scorers`.
 *
 * @param {object} facts
 * @param {number} facts.runs
 * @param {{fingerprint: string, name: string, runs: number}[]} facts.taskSets
 * @param {string|null} facts.tasks fingerprint, "all" or null
 * @param {[number, number]|null} facts.tests least and most of a run
 * @param {boolean|null} facts.sameScorers null where nobody knows
 * @param {(tasks: string) => void} onTasks
 * @returns {HTMLElement}
 */
export function titleFacts({runs, taskSets, tasks, tests, sameScorers}, onTasks) {
  const parts = [
    `${count(runs)} ${runs === 1 ? 'run' : 'runs'}`,
    taskSets.length > 1 ? taskChooser(taskSets, tasks, onTasks) : taskSets[0]?.name ? shortName(taskSets[0].name) : null,
    tests === null ? null : `${tests[0] === tests[1] ? count(tests[0]) : `${count(tests[0])}–${count(tests[1])}`} tests a run`,
    sameScorers === null ? null : sameScorers ? 'same scorers' : 'different scorers',
  ].filter((part) => part !== null);
  const dot = () => h('span', {class: 'dot', 'aria-hidden': 'true'}, '·');
  return h('span', {class: 'facts'}, parts.map((part, i) => [i > 0 ? dot() : null, h('span', null, part)]));
}

/** Sets of the same name are told apart by the beginning of their fingerprint. */
function taskChooser(taskSets, tasks, onTasks) {
  const names = taskSets.map((set) => set.name);
  const isShared = (name) => names.filter((other) => other === name).length > 1;
  const text = ({name, fingerprint}) => [shortName(name ?? 'unnamed tasks'), isShared(name) ? fingerprint.slice(0, 8) : null].filter(Boolean).join(' ');
  const chosen = taskSets.find((set) => set.fingerprint === tasks);
  const props = {type: 'button', class: 'tasks-button', title: 'Choose the task set'};
  const button = h('button', props, chosen ? text(chosen) : 'all task sets', icon('down', 12));
  const item = (label, note, value) => ({label, note, checked: tasks === value, close: true, run: () => onTasks(value)});
  menu(
    button,
    () => [
      ...taskSets.map((set) => item(text(set), `${count(set.runs)} ${set.runs === 1 ? 'run' : 'runs'}`, set.fingerprint)),
      item('All task sets', 'no ranks', 'all'),
    ],
    {label: 'Task set'},
  );
  return button;
}

/**
 * @param {(axis: string) => void} onAxis
 * @returns {{el: HTMLElement, small: HTMLElement, update: (axis: string) => void}} `small` is the same for a phone
 */
export function axisSelector(onAxis) {
  const label = uid('axis');
  const buttons = Object.entries(AXES).map(([name, axis]) =>
    h('button', {type: 'button', 'aria-pressed': 'false', 'data-axis': name, on: {click: () => onAxis(name)}}, axis.label),
  );
  const segment = h('div', {class: 'segment', role: 'group', 'aria-labelledby': label}, buttons);
  const el = h('div', {class: 'axis-choice'}, h('span', {id: label, class: 'axis-label'}, 'Success against'), segment);
  const value = h('span', null);
  const words = h('span', {class: 'sr'}, 'Success against ');
  const small = h('button', {type: 'button', class: 'button axis-small'}, words, value, icon('down', 12));
  let current = '';
  const item = ([name, axis]) => ({label: axis.label, checked: name === current, close: true, run: () => onAxis(name)});
  menu(small, () => Object.entries(AXES).map(item), {label: 'Success against'});
  return {
    el,
    small,
    update(axis) {
      current = axis;
      fill(value, AXES[axis].label);
      for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.axis === axis));
    },
  };
}

/**
 * @param {import('../data/adapter.js').Data} data
 * @param {() => object} query of what is shown
 * @param {(error: Error) => void} onError
 * @returns {HTMLElement}
 */
export function downloadButton(data, query, onError) {
  const button = h('button', {type: 'button', class: 'button download'}, icon('download', 14), 'Download');
  const save = async ({format, mime}) => {
    try {
      const found = await data.downloadUrl({kind: 'leaderboard', format, query: query()});
      if (typeof found === 'string') follow(found);
      else download(`leaderboard.${format}`, mime, found);
    } catch (error) {
      onError(error);
    }
  };
  const formats = FORMATS.filter(({format}) => data.downloads.leaderboard.includes(format));
  const item = (one) => ({label: one.label, note: `leaderboard.${one.format}`, run: () => void save(one)});
  menu(button, () => formats.map(item), {label: 'Download the rows shown'});
  return button;
}

function follow(address) {
  const link = h('a', {href: address, download: '', class: 'sr'});
  document.body.append(link);
  link.click();
  link.remove();
}

/**
 * "Compare n": a link, or where it cannot be followed a button that says why.
 *
 * @param {() => string[]} pins
 * @param {(reason: string) => void} onRefused
 * @returns {{el: HTMLElement, update: () => void, press: () => void}}
 */
export function compareButton(pins, onRefused) {
  const label = h('span', null);
  const el = h('a', {class: 'button button-main compare'}, label, h('kbd', {'aria-hidden': 'true'}, 'c'));
  el.addEventListener('click', (event) => {
    const reason = compareReason(pins());
    if (reason === null) return;
    event.preventDefault();
    onRefused(reason);
  });
  // Without an address a link is no button to the keyboard.
  el.addEventListener('keydown', (event) => {
    if (el.hasAttribute('href') || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault();
    el.click();
  });
  return {
    el,
    update() {
      const runs = pins();
      const reason = compareReason(runs);
      fill(label, runs.length > 0 ? `Compare ${count(runs.length)}` : 'Compare');
      el.title = reason ?? 'The first pinned run is the baseline';
      el.setAttribute('role', reason === null ? 'link' : 'button');
      if (reason === null) el.setAttribute('href', href('compare', {runs}));
      else el.removeAttribute('href');
      for (const [name, value] of [['aria-disabled', 'true'], ['tabindex', '0'], ['aria-description', reason]]) {
        if (reason === null) el.removeAttribute(name);
        else el.setAttribute(name, value);
      }
    },
    press: () => el.click(),
  };
}
