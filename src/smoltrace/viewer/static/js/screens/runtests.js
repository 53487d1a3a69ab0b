/** The tests of a run's page: table, failures, filters, and the sheet with one of them. */

import {histogram} from '../model/failures.js';
import {toCsv, toJson} from '../model/csv.js';
import {toggled} from '../model/listing.js';
import {matching, outcome, placeOf, sorted, testAt} from '../model/tests.js';
import {testFeed} from '../model/runfeed.js';
import {fill, h, onFrame} from '../paint/dom.js';
import {failurePanel} from '../paint/histogram.js';
import {amountsKey, columnNames, phoneTest, testColumns, usualColumns} from '../paint/runtable.js';
import {testToolbar} from '../paint/runtoolbar.js';
import {virtualTable} from '../paint/virtual.js';
import {testSheet} from './runpanel.js';
import {filterOf, nextSort, wayOf, windowOf} from './runstate.js';

const NO_FILTER = {status: [], error: [], category: [], success: '', q: '', from: null, to: null, zoom: false};

/**
 * @param {{id: string, data: object, shell: object, state: object, run: object, onChosen: (place: number) => void,
 *   onView: (view: {tests: object, shown: Set<number>|null, window: number}) => void}} parts
 */
export function runTests({id, data, shell, state, run: first, onChosen, onView}) {
  let run = first;
  let places = [];
  let hovered = -1;
  const newestFirst = first._status === 'running';
  const feed = testFeed({page: (start) => data.tests(id, start), onChange: onFrame(() => show())});
  const {tests, all} = feed;
  const sheet = testSheet({id, data, traceHref, onClose: closed, onStep: step});
  const failures = failurePanel({
    onWay: (by) => state.set({by}),
    onToggle: (way, value) => state.set({[way]: toggled(state.get()[way], value)}),
    onClear: (way) => state.set({[way]: []}),
  });
  const bar = testToolbar({
    onSuccess: (success) => state.set({success}),
    onSearch: (q) => state.set({q}),
    onTake: take,
    onDrop: (name, value) => state.set({[name]: state.get()[name].filter((each) => each !== value)}),
    columns: () => columnNames().map(([key, label]) => ({key, label, shown: shownColumns().includes(key)})),
    onColumn: (key) => state.set({cols: toggled(shownColumns(), key)}),
    sort: () => state.get().sort,
    onSort: (sort) => state.set({sort}),
  });
  const empty = h('div', {class: 'tests-empty'});
  let columnsShown = '';
  const table = virtualTable({
    label: 'Tests',
    columns: testColumns(shownColumns(), tests),
    rowHeight: 30,
    phoneRowHeight: 50,
    count: 0,
    rowAt: (i) => testAt(tests, places[i]),
    keyOf: (row) => row.test_case_uid,
    selected: state.get().test,
    onOpen: (row) => open(row),
    onKey: onTableKey,
    onActive: (row) => active(row),
    onSort: (key) => state.set({sort: nextSort(state.get().sort, key)}),
    sort: state.get().sort,
    empty,
    phone: phoneTest,
  });
  const side = h('div', {class: 'run-side'}, failures.el);
  const el = h('div', {class: 'run-tests'}, side, h('section', {class: 'tests', 'aria-label': 'Tests'}, bar.el, table.el));
  addEventListener('resize', onFrame(() => paintTable(state.get())));
  table.el.addEventListener('pointerover', (event) => point(event.target));
  table.el.addEventListener('pointerleave', () => point(null));

  function shownColumns() {
    const {cols} = state.get();
    if (cols.length) return cols;
    return usualColumns({agents: run.row.agent_type === 'both' ? 2 : 1, attempts: run.row.attempts ?? 1, width: innerWidth});
  }

  /** Everything that follows from the state and the tests that are there. */
  function show() {
    const now = state.get();
    const filter = filterOf(now);
    const found = matching(tests, filter);
    places = sorted(tests, found, now.sort);
    if (newestFirst && !now.sort) places = [...places].reverse();
    paintTable(now);
    const way = wayOf(now);
    failures.update(histogram(tests, way, matching(tests, {...filter, [way]: []}), now[way]), now[way]);
    const among = matching(tests, {...filter, success: ''});
    const toGo = run._status !== 'completed' && run._planned ? run._planned - run._finished : 0;
    bar.update({shown: places.length, total: tests.count, outcome: outcome(tests, among), toGo: run._status === 'running' ? toGo : 0, fresh: feed.waiting(), reading: feed.reading() && tests.count > 0, state: now});
    const window = windowOf(now);
    onView({tests: all, shown: found.length === tests.count ? null : new Set(matching(all, filter)), window: window ? matching(tests, {from: window[0], to: window[1]}).length : 0});
    if (now.test !== sheet.shown()) openNamed(now.test);
    else onChosen(chosenPlace());
  }

  function paintTable(now) {
    const columns = [...shownColumns(), amountsKey(tests)].join();
    const changed = columns === columnsShown ? {} : {columns: testColumns(shownColumns(), tests)};
    columnsShown = columns;
    paintEmpty();
    table.update({count: places.length, selected: now.test, sort: now.sort, ...changed});
  }

  function paintEmpty() {
    if (places.length) return;
    const clear = h('button', {type: 'button', class: 'button', on: {click: clearFilters}}, 'Show all tests');
    if (tests.count) fill(empty, h('p', null, 'No test fits the filters.'), clear);
    else fill(empty, h('p', null, feed.reading() ? 'Reading the tests' : run._status === 'running' ? 'No test has finished yet: they come in as they do.' : 'No test of this run has finished.'));
  }

  function clearFilters() {
    bar.clear();
    state.set(NO_FILTER);
  }

  function chosenPlace() {
    if (hovered >= 0) return hovered;
    const uid = state.get().test;
    return uid === null ? -1 : placeOf(all, uid);
  }

  function point(target) {
    const row = target?.closest?.('tr.vt-row');
    const place = row ? places[Number(row.dataset.index)] ?? -1 : -1;
    if (place === hovered) return;
    hovered = place;
    onChosen(chosenPlace());
  }

  /** The row of the test whose band is under the pointer. */
  function hoverPlace(place) {
    for (const row of table.el.querySelectorAll('tr.vt-row')) row.classList.toggle('pointed', place >= 0 && places[Number(row.dataset.index)] === place);
  }

  function open(row) {
    if (state.get().test === row.test_case_uid) sheet.close();
    else state.set({test: row.test_case_uid});
  }

  /** The row that opened the sheet may have been painted anew since: the focus goes to the one of the last test shown. */
  function closed() {
    const i = places.indexOf(placeOf(all, state.get().test ?? ''));
    state.set({test: null});
    if (i >= 0 && document.activeElement === document.body) table.focus(i);
  }

  function openNamed(uid) {
    onChosen(chosenPlace());
    if (uid === null) return sheet.close();
    const row = testAt(all, placeOf(all, uid));
    if (row) void sheet.show(row);
  }

  function openPlace(place) {
    const row = testAt(all, place);
    if (!row) return;
    const i = places.indexOf(place);
    if (i >= 0) table.scrollTo(i);
    state.set({test: row.test_case_uid});
  }

  /** A row that gets the focus while the sheet is open is shown in it. */
  function active(row) {
    if (row && sheet.isOpen() && sheet.shown() !== row.test_case_uid) state.set({test: row.test_case_uid});
  }

  function step(by) {
    if (!places.length) return;
    const at = places.indexOf(placeOf(all, state.get().test ?? ''));
    const i = at < 0 ? 0 : Math.min(Math.max(at + by, 0), places.length - 1);
    table.scrollTo(i);
    state.set({test: testAt(tests, places[i]).test_case_uid});
  }

  function traceHref(row) {
    return row.trace_id ? state.link({run: id, trace: row.trace_id}, 'trace') : null;
  }

  function onTableKey(event, row) {
    if (event.key === 't' && row && traceHref(row)) location.href = traceHref(row);
    else if (event.key === 'o' && row) open(row);
    else return false;
    return true;
  }

  /** The new tests come in; the newest stand on top, or where the sort puts them. */
  function take() {
    const added = feed.waiting();
    feed.take();
    show();
    table.scrollTo(0);
    table.focus(0);
    shell.toast(`${added} new ${added === 1 ? 'test' : 'tests'} shown`);
  }

  function shownAs(format) {
    const names = Object.keys(tests.columns).filter((name) => !name.startsWith('_'));
    const rows = places.map((place) => testAt(tests, place));
    const text = format === 'csv' ? toCsv(names, rows) : toJson(names, rows);
    return {name: `${id}-tests.${format}`, mime: format === 'csv' ? 'text/csv' : 'application/json', text};
  }

  return {
    el,
    show,
    start: () => feed.read(),
    setRun(next) {
      run = next;
      show();
    },
    more: () => feed.read(),
    settle: () => feed.settle(),
    take: () => feed.waiting() > 0 && take(),
    openPlace,
    hoverPlace,
    step,
    move: (by) => table.move(by),
    focusSearch: () => bar.focus(),
    clearFilters,
    sheet,
    traceOfShown() {
      const row = testAt(all, placeOf(all, sheet.shown() ?? ''));
      return row ? traceHref(row) : null;
    },
    shownAs,
  };
}
