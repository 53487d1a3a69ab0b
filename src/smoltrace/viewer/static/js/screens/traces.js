/** The tests of one run, each with the trace that it left. */
import {aliveWord} from '../model/alive.js';
import {count, duration, tokens} from '../model/format.js';
import {found, nextSort, sorted} from '../model/listing.js';
import {testFeed} from '../model/runfeed.js';
import {href, urlState} from '../model/state.js';
import {testAt} from '../model/tests.js';
import {statusChip, verdict} from '../paint/chip.js';
import {fill, h} from '../paint/dom.js';
import {keys} from '../paint/keys.js';
import {menu} from '../paint/menu.js';
import {costFigure, energyFigure, figure} from '../paint/number.js';
import {emptyPanel} from '../paint/shell.js';
import {icon} from '../paint/svg.js';
import {virtualTable} from '../paint/virtual.js';
import {filterField} from './runs.js';

const WORDS = new Set(['test_id', 'agent_type', 'prompt', 'error_type', 'category']);
const SEARCHED = ['test_id', 'prompt', 'category', 'error_type', 'trace_id', 'agent_type'];
const RUNS_IN_MENU = 50;

/** @param {{data: import('../data/adapter.js').Data, shell: import('../paint/shell.js').Shell}} given */
export async function showTraces({data, shell}) {
  const url = urlState({run: '', q: '', sort: ''});
  const runs = (await data.leaderboard({tasks: 'all', sort: '-evaluation_date', limit: RUNS_IN_MENU})).rows;
  const id = url.get().run || runs[0]?.run_id;
  if (!id) {
    fill(shell.main, emptyPanel('This store has no runs yet, and so no traces.', (await data.store()).hint));
    return;
  }
  const run = await data.run(id);
  const search = filterField('Filter tests', url);
  const status = h('span', null);
  /** @type {number[]} */
  let order = [];
  const feed = testFeed({page: (start) => data.tests(id, start), onChange: () => paint()});
  const {tests} = feed;
  const table = virtualTable({
    label: 'Tests and their traces',
    columns: COLUMNS.map((column) => ({...column, cell: CELLS[column.key](id)})),
    rowHeight: 30,
    phoneRowHeight: 50,
    count: 0,
    rowAt: (at) => testAt(tests, order[at]),
    keyOf: (row) => row.test_case_uid,
    sort: url.get().sort,
    onSort: (key) => url.set({sort: nextSort(url.get().sort, key, !WORDS.has(key))}),
    onOpen: (row) => location.assign(addressOf(id, row)),
    phone: (row) => phoneRow(id, row),
  });

  function paint() {
    const {q, sort} = url.get();
    const key = sort.replace(/^-/, '');
    const {columns, count: total} = tests;
    const shown = found(total, SEARCHED.map((name) => columns[name] ?? []), q);
    order = key && columns[key] ? sorted(shown, (index) => valueOf(columns[key][index]), sort.startsWith('-')) : shown;
    fill(status, run._status === 'completed' ? null : statusChip(run._status));
    const live = run._status === 'running' ? ` · ${aliveWord()}, ${count(run._finished)} of ${count(run._planned)}` : '';
    shell.setTitle('Traces', {after: h('span', null, q ? `${count(order.length)} of ${count(total)} tests` : `${count(total)} tests`, live)});
    const words = q ? `No test has “${q}” in it.` : run._status === 'running' ? 'No test of this run has finished yet.' : 'This run has no finished test.';
    table.update({count: order.length, sort, empty: h('div', {class: 'empty'}, h('p', null, words))});
  }

  async function read() {
    try {
      await feed.read();
    } catch (error) {
      shell.toast(error instanceof Error ? error.message : String(error));
    }
    if (feed.waiting()) shell.pill(`${count(feed.waiting())} new`, () => (shell.pill(null), feed.take()));
  }

  shell.setToolbar(status, h('a', {href: href('run', {id})}, 'Open the run'), runButton(run, runs), search.el);
  fill(shell.main, table.el);
  keys([
    {keys: 'j ArrowDown', label: 'Next test', run: () => table.move(1)},
    {keys: 'k ArrowUp', label: 'Previous test', run: () => table.move(-1)},
    {keys: 'Enter', label: 'Open the trace'},
    {keys: 'f', label: 'Filter', run: () => search.focus()},
  ]);
  url.onChange(() => {
    search.sync();
    paint();
  });
  await feed.read();
  if (run._status === 'running') {
    data.watch(id, (change) => {
      Object.assign(run, {_status: change.status ?? run._status, _finished: change.finished ?? run._finished});
      void read();
    });
  }
}

/** A cost or an energy sorts by its value. @param {any} value */
function valueOf(value) {
  return value !== null && typeof value === 'object' ? value.value ?? null : value;
}

/** @param {any} run @param {any[]} runs */
function runButton(run, runs) {
  const name = `${run.row?.model ?? run.run_id} · ${run.row?.agent_type ?? ''}`;
  const button = h('button', {type: 'button', class: 'button'}, h('span', {class: 'note'}, 'Run'), h('span', {class: 'run-name'}, name), icon('down', 12));
  menu(button, () => [
    ...runs.map((row) => ({label: `${row.model} · ${row.agent_type}`, note: row.run_id, href: href('traces', {run: row.run_id})})),
    {label: runs.length < RUNS_IN_MENU ? 'All runs' : `The newest ${RUNS_IN_MENU} are listed: all runs`, href: href('runs')},
  ], {label: 'Run'});
  return button;
}

/** @param {string} id @param {any} row */
function addressOf(id, row) {
  return row.trace_id ? href('trace', {run: id, trace: row.trace_id}) : href('run', {id, test: row.test_case_uid});
}

/** @param {string} id @param {any} row */
function phoneRow(id, row) {
  return h('div', {class: 'two-lines'},
    h('div', null, h('span', null, verdict(row.success), ' ', h('a', {class: 'row-link mono', href: addressOf(id, row)}, row.test_id)), h('span', null, figure(duration(row.execution_time_ms)))),
    h('div', null, h('span', null, row.error_type ?? row.prompt), costFigure(row._cost)));
}

/** @param {any} text */
function soft(text) {
  return text === null || text === undefined || text === '' ? h('span', {class: 'soft'}, '—') : h('span', {class: 'soft', title: String(text)}, text);
}

/** @type {Object<string, (id: string) => (row: any) => import('../paint/dom.js').Child>} */
const CELLS = {
  success: () => (row) => verdict(row.success),
  test_id: (id) => (row) => h('a', {class: 'row-link mono', href: addressOf(id, row)}, row.test_id, row.attempt > 1 ? ` #${row.attempt}` : null),
  agent_type: () => (row) => soft(row.agent_type),
  prompt: () => (row) => soft(row.prompt),
  steps: () => (row) => figure(count(row.steps)),
  'gen_ai.usage.total_tokens': () => (row) => figure(tokens(row['gen_ai.usage.total_tokens']), {why: 'usage not told'}),
  _cost: () => (row) => costFigure(row._cost, {hang: true}),
  _energy: () => (row) => energyFigure(row._energy, {hang: true}),
  execution_time_ms: () => (row) => figure(duration(row.execution_time_ms)),
  error_type: () => (row) => soft(row.error_type),
};

/** @type {'right'} */
const RIGHT = 'right';

const COLUMNS = [
  {key: 'success', label: '', title: 'Passed or failed', width: 36},
  {key: 'test_id', label: 'Test', width: 'minmax(150px, 1fr)', sortable: true},
  {key: 'agent_type', label: 'Agent', width: 64, sortable: true},
  {key: 'prompt', label: 'Task', width: 'minmax(180px, 2fr)', sortable: true},
  {key: 'steps', label: 'Steps', width: 64, align: RIGHT, sortable: true},
  {key: 'gen_ai.usage.total_tokens', label: 'Tokens', width: 76, align: RIGHT, sortable: true},
  {key: '_cost', label: '$', width: 136, align: RIGHT, class: 'hang', sortable: true},
  {key: '_energy', label: 'Wh', width: 96, align: RIGHT, class: 'hang', sortable: true},
  {key: 'execution_time_ms', label: 'Duration', width: 84, align: RIGHT, sortable: true},
  {key: 'error_type', label: 'Error class', width: 'minmax(110px, 1fr)', sortable: true},
];
