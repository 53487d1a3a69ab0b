/** The lower half of the Compare screen: the tests × runs matrix, and beside it what one test was in two runs. */
import {caseRows, categoriesOf, countCases, filterCases} from '../model/cases.js';
import {count} from '../model/format.js';
import {fill, h} from '../paint/dom.js';
import {caseMatrix} from '../paint/matrix.js';
import {caseStrip} from '../paint/strip.js';
import {CellPanel} from './comparepanel.js';

const FILTERS = [['all', 'All'], ['disagree', 'Disagree'], ['regressed', 'Regressed'], ['improved', 'Improved'], ['failed', 'All failed']];
const REST = 150;
/** Ms that a row must keep the focus before the open panel follows it. */
const FOLLOW = 60;

export class CompareTests {
  #runs = [];
  #all = [];
  #rows = [];
  /** The column that the keys act on. */
  #column = 1;
  #typing = null;
  #following = null;

  /** @param {{data: import('../data/adapter.js').Data, state: any}} given `state`: the address */
  constructor({ data, state }) {
    this.state = state;
    this.title = h('div', { class: 'toolbar-title' });
    this.filters = h('div', { class: 'segment', role: 'group', 'aria-label': 'Tests shown' });
    this.category = h('select', { class: 'select', 'aria-label': 'Category', on: { change: () => state.set({ category: this.category.value }) } });
    this.find = h('input', { type: 'search', class: 'field', placeholder: 'Find tests', 'aria-label': 'Find tests by id, task or category', autocomplete: 'off', on: { input: () => this.#typed() } });
    this.strip = caseStrip({ onJump: (index) => this.matrix.scrollTo(index) });
    this.matrix = caseMatrix({
      onOpen: (row, run) => this.open(row, run),
      onChoose: (run) => this.choose(run),
      onSight: (first, last) => this.strip.mark(first, last),
      onActive: (row) => this.#follow(row),
    });
    this.panel = new CellPanel({ data, state, onMove: (by) => this.step(by), onRun: (by) => this.turn(by), onClose: () => this.#closed() });
    this.split = h('div', { class: 'cmp-split' }, this.matrix.el, this.panel.place);
    const tools = h('div', { class: 'toolbar' }, this.title, h('div', { class: 'toolbar-end cmp-filters' }, this.find, this.category, this.filters));
    this.el = h('section', { class: 'cmp-tests', 'aria-label': 'Tests' }, tools, this.strip.el, this.split);
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.state.set({ q: this.find.value.trim() }), REST);
  }

  /** New runs, or new tests of them. */
  setRuns(runs, match) {
    this.#runs = runs;
    this.#all = caseRows(match, runs.map((run) => run.tests));
    this.#column = Math.min(Math.max(this.#column, 1), runs.length - 1);
    this.paint();
  }

  /** The rows that are shown. */
  rows() {
    return this.#rows;
  }

  paint() {
    const { show, q, category, cell } = this.state.get();
    this.#rows = filterCases(this.#all, { show, q, category: category || null });
    this.#paintFilters(show);
    this.#paintCategories(category);
    if (document.activeElement !== this.find) this.find.value = q;
    const open = this.#parsed(cell);
    if (open && open.run > 0) this.#column = open.run;
    this.strip.paint(this.#rows, this.#runs);
    const agents = new Set(this.#all.map((row) => row.agent)).size > 1;
    this.matrix.paint({ rows: this.#rows, runs: this.#runs, column: this.#column, open, agents }, this.#nothing());
    this.#showCell(open);
  }

  #paintFilters(show) {
    const counts = countCases(this.#all);
    fill(this.title, h('h2', null, 'Tests'), h('span', { class: 'cell-note' }, `${count(counts.disagree)} of ${count(this.#all.length)} disagree`));
    const button = ([name, label]) => h('button', { type: 'button', 'aria-pressed': String(show === name), on: { click: () => this.state.set({ show: name }) } }, label, ' ', h('span', { class: 'segment-count' }, count(counts[name])));
    const focused = [...this.filters.children].indexOf(document.activeElement);
    fill(this.filters, FILTERS.map(button));
    if (focused >= 0) this.filters.children[focused].focus({ preventScroll: true });
  }

  #paintCategories(wanted) {
    const found = categoriesOf(this.#all);
    this.category.hidden = found.length < 2;
    fill(this.category, h('option', { value: '' }, 'All categories'), found.map((each) => h('option', { value: each.value }, `${each.value.replaceAll('_', ' ')} (${each.count})`)));
    this.category.value = wanted;
  }

  #nothing() {
    if (!this.#all.length) return h('p', { class: 'empty' }, 'No test has finished yet.');
    const reset = h('button', { type: 'button', class: 'link', on: { click: () => this.state.set({ show: 'all', q: '', category: '' }) } }, 'Show all tests');
    return h('p', { class: 'empty' }, 'No test is like that. ', reset);
  }

  /** `KEY~RUN`, or null where there is no such test or run any more. */
  #parsed(text) {
    const mark = text.lastIndexOf('~');
    if (mark < 0) return null;
    const run = this.#runs.findIndex((each) => each.id === text.slice(mark + 1));
    const key = text.slice(0, mark);
    return run >= 0 && this.#all.some((row) => row.key === key) ? { key, run } : null;
  }

  #opened() {
    return this.#parsed(this.state.get().cell);
  }

  open(row, run, { focus = true } = {}) {
    clearTimeout(this.#following);
    this.state.set({ cell: `${row.key}~${this.#runs[run].id}`, attempt: 0 });
    if (focus) this.matrix.focus(row.key);
  }

  #showCell(open) {
    this.split.classList.toggle('cmp-open', Boolean(open));
    if (!open) return this.panel.hide();
    const row = this.#all.find((each) => each.key === open.key);
    return void this.panel.show({ row, runs: this.#runs, other: open.run || this.#column });
  }

  /** While the panel is open, it shows the row that the keys go to. */
  #follow(row) {
    const { cell } = this.state.get();
    if (!cell || !row || cell.startsWith(`${row.key}~`)) return;
    clearTimeout(this.#following);
    this.#following = setTimeout(() => this.open(row, this.#column, { focus: false }), FOLLOW);
  }

  /** The next test, or one before; where none is open, only the focus goes there. */
  step(by) {
    const open = this.#opened();
    if (!open) return this.matrix.move(by);
    const row = this.matrix.rowAt(this.matrix.indexOf(open.key) + by);
    return row ? this.open(row, this.#column) : undefined;
  }

  choose(run) {
    this.#column = run;
    const open = this.#opened();
    if (open) this.state.set({ cell: `${open.key}~${this.#runs[run].id}` });
    else this.paint();
  }

  /** The column beside. */
  turn(by) {
    const others = this.#runs.length - 1;
    if (others > 1) this.choose(1 + ((this.#column - 1 + by + others) % others));
  }

  isOpen() {
    return Boolean(this.state.get().cell);
  }

  close() {
    if (this.isOpen()) this.#closed();
  }

  #closed() {
    const key = this.#opened()?.key;
    this.state.set({ cell: '', tab: 'output', attempt: 0 });
    if (key) this.matrix.focus(key);
  }
}
