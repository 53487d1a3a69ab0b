/** All runs, the newest first, with how far they are. */
import {count, duration, interval, percent} from '../model/format.js';
import {whyNoRate} from '../model/judged.js';
import {nextSort} from '../model/listing.js';
import {oneAtATime} from '../model/once.js';
import {Pages} from '../model/paging.js';
import {href, urlState} from '../model/state.js';
import {successBar} from '../paint/bar.js';
import {chip, statusChip} from '../paint/chip.js';
import {fill, h} from '../paint/dom.js';
import {keys} from '../paint/keys.js';
import {costFigure, figure, momentFigure} from '../paint/number.js';
import {emptyPanel} from '../paint/shell.js';
import {virtualTable} from '../paint/virtual.js';

const WORDS = new Set(['model', 'agent_type', 'dataset_used', 'run_id', 'provider']);
const EMPTY = {value: null, reason: 'no test has finished'};

/** @param {{data: import('../data/adapter.js').Data, shell: import('../paint/shell.js').Shell}} given */
export async function showRuns({data, shell}) {
  const url = urlState({q: '', sort: '-evaluation_date'});
  const store = await data.store();
  const search = filterField('Filter runs', url);
  const tell = (error) => shell.toast(error instanceof Error ? error.message : String(error));
  const rows = new Pages(async (offset, limit) => data.leaderboard({tasks: 'all', q: url.get().q, sort: url.get().sort, offset, limit}), {onRows: () => paint(), onError: tell});
  const table = virtualTable({
    label: 'Runs',
    columns: COLUMNS,
    rowHeight: 36,
    phoneRowHeight: 50,
    count: 0,
    rowAt: (i) => rows.rowAt(i),
    need: (from, to) => rows.need(from, to),
    keyOf: (row) => row.run_id,
    sort: url.get().sort,
    onSort: (key) => url.set({sort: nextSort(url.get().sort, key, !WORDS.has(key))}),
    onOpen: (row) => location.assign(href('run', {id: row.run_id})),
    phone: phoneRow,
    role: 'table',
  });
  shell.setToolbar(search.el);
  fill(shell.main, table.el);

  function paint() {
    const {q, sort} = url.get();
    const {total} = rows;
    shell.setTitle('Runs', {after: countText(total, q, store)});
    table.update({count: total, sort, empty: q ? h('div', {class: 'empty'}, h('p', null, `No run has “${q}” in it.`)) : emptyPanel('This store has no runs yet.', store.hint)});
  }

  async function restart() {
    shell.pill(null);
    try {
      if (await rows.reset()) paint();
    } catch (error) {
      tell(error);
    }
  }

  keys([
    {keys: 'j ArrowDown', label: 'Next run', run: () => table.move(1)},
    {keys: 'k ArrowUp', label: 'Previous run', run: () => table.move(-1)},
    {keys: 'Enter', label: 'Open the run'},
    {keys: 'f', label: 'Filter', run: () => search.focus()},
  ]);
  url.onChange(() => {
    search.sync();
    void restart();
  });
  const look = oneAtATime(async () => {
    if (rows.total === 0) return restart(); // nothing is there that could move
    const {moved, more} = await rows.renew((row) => row.run_id).catch(() => ({moved: false, more: 0}));
    table.refresh();
    if (moved) shell.pill(more > 0 ? `${count(more)} new` : 'The list has changed', () => void restart());
    return undefined;
  });
  data.watch(null, () => void look());
  await restart();
}

/** @param {number} total @param {string} q @param {any} store */
function countText(total, q, store) {
  const live = store.live ? `, ${count(store.live)} live` : '';
  return h('span', null, q ? `${count(total)} of ${count(store.runs)} runs` : `${count(total)} ${total === 1 ? 'run' : 'runs'}${live}`);
}

/**
 * A field that filters as the reader types.
 * @param {string} label
 * @param {any} url state with `q`
 */
export function filterField(label, url) {
  /** @type {any} */
  let timer = null;
  const input = /** @type {HTMLInputElement} */ (h('input', {type: 'search', class: 'field list-filter', placeholder: label, 'aria-label': label, value: url.get().q, autocomplete: 'off', spellcheck: 'false'}));
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => url.set({q: input.value.trim()}), 150);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') input.blur();
  });
  return {
    el: input,
    focus: () => input.focus(),
    sync: () => {
      if (document.activeElement !== input) input.value = url.get().q;
    },
  };
}

/** @param {any} row */
function modelCell(row) {
  return [h('a', {class: 'row-link', href: href('run', {id: row.run_id})}, row.model ?? '—'), row._status === 'completed' ? null : [' ', statusChip(row._status)]];
}

/** @param {any} row */
function progressCell(row) {
  const done = count(row._finished) ?? '—';
  return row._status === 'completed' || row._planned === null ? done : `${done} of ${count(row._planned)}`;
}

/** @param {any} row */
function successCell(row) {
  if (row.success_rate === null || row.success_rate === undefined) return figure(null, {why: whyNoRate(row)});
  return h('div', {class: 'success-cell'}, h('span', {class: 'success-rate'}, percent(row.success_rate)), successBar(row.success_rate, row.success_rate_ci_low, row.success_rate_ci_high, {width: 96}),
    h('span', {class: 'success-interval'}, interval(row.success_rate_ci_low, row.success_rate_ci_high)));
}

/** @param {any} row */
function phoneRow(row) {
  return h('div', {class: 'two-lines'},
    h('div', null, h('span', null, modelCell(row), ' ', h('span', {class: 'soft'}, row.agent_type)), h('span', null, figure(percent(row.success_rate), {unit: '%', why: whyNoRate(row)}))),
    h('div', null, h('span', null, momentFigure(row.evaluation_date), ' · ', progressCell(row), ' tests'), costFigure(row._cost ?? EMPTY)));
}

/** @type {import('../paint/virtual.js').Column[]} */
const COLUMNS = [
  {key: 'model', label: 'Model', width: 'minmax(220px, 2fr)', sortable: true, cell: modelCell},
  {key: 'agent_type', label: 'Agent', width: 64, sortable: true, cell: (row) => h('span', {class: 'soft'}, row.agent_type)},
  {key: 'dataset_used', label: 'Tasks', width: 'minmax(100px, 1fr)', sortable: true, cell: (row) => h('span', {class: 'soft', title: row.dataset_used}, row.dataset_used ?? '—')},
  {key: '_finished', label: 'Tests', width: 96, align: 'right', cell: progressCell},
  {key: 'success_rate', label: 'Success %', width: 268, sortable: true, cell: successCell},
  {key: '_cost', label: '$ / test', width: 132, align: 'right', class: 'hang', sortable: true, cell: (row) => costFigure(row._cost, {hang: true})},
  {key: 'wall_time_ms', label: 'Duration', width: 96, align: 'right', sortable: true, cell: (row) => figure(duration(row.wall_time_ms), {why: 'not finished'})},
  {key: 'provider', label: 'Provider', width: 104, cell: (row) => chip(row.provider ?? '—')},
  {key: 'evaluation_date', label: 'Started', width: 148, align: 'right', sortable: true, cell: (row) => momentFigure(row.evaluation_date)},
  {key: 'run_id', label: 'Run', width: 'minmax(160px, 1fr)', sortable: true, cell: (row) => h('span', {class: 'mono soft', title: row.run_id}, row.run_id)},
];
