/** The panel of one test: beside the matrix where there is room, else as a sheet over it. */
import {compareMarkdownOfCell} from '../model/cellout.js';
import {cellBody, tabButtons} from '../paint/cellpanel.js';
import {chip} from '../paint/chip.js';
import {sheet} from '../paint/dialog.js';
import {fill, h} from '../paint/dom.js';
import {caps} from '../paint/keys.js';
import {copy} from '../paint/menu.js';
import {failPanel} from '../paint/shell.js';
import {icon} from '../paint/svg.js';
import {readSide} from './comparedata.js';

const BESIDE = '(min-width: 1000px)';
/** px up to which differences stand one above the other. */
const UNIFIED = 560;
const KEPT = 60;
/** More attempts than these are chosen from a list. */
const MOST_BUTTONS = 10;

export class CellPanel {
  /** What is shown: the row, the runs, and which of them stands against the baseline. */
  #now = null;
  #over = null;
  #asked = 0;
  #read = new Map();
  #beside = matchMedia(BESIDE);

  /**
   * @param {object} given
   * @param {import('../data/adapter.js').Data} given.data
   * @param {any} given.state
   * @param {(by: number) => void} given.onMove @param {(by: number) => void} given.onRun @param {() => void} given.onClose
   */
  constructor({ data, state, onMove, onRun, onClose }) {
    Object.assign(this, { data, state, onMove, onRun, onClose });
    this.box = h('div', { class: 'cmp-panel-box' });
    this.place = h('aside', { class: 'cmp-panel', 'aria-label': 'Test in two runs', hidden: true }, this.box);
    this.#beside.addEventListener('change', () => this.#now && void this.show(this.#now));
  }

  /** @param {{row: import('../model/cases.js').CaseRow, runs: any[], other: number}} wanted */
  async show(wanted) {
    this.#now = wanted;
    this.#asked += 1;
    const mine = this.#asked;
    const attempts = attemptsOf(wanted);
    const asked = this.state.get().attempt;
    const attempt = attempts.includes(asked) ? asked : firstApart(wanted, attempts);
    if (!this.box.firstChild && !this.#over) this.#paint(wanted, attempts, attempt, null);
    this.box.setAttribute('aria-busy', 'true');
    try {
      const sides = await Promise.all([0, wanted.other].map((run) => this.#side(wanted, run, attempt)));
      if (mine === this.#asked) this.#paint(wanted, attempts, attempt, sides);
    } catch (error) {
      if (mine === this.#asked) this.#put(this.#head(wanted, attempts, attempt, null), failPanel(error));
    }
  }

  /** Tests of a finished run don't change: what was read once is kept while the screen stays. */
  #side({ row, runs }, run, attempt) {
    const at = row.case.runs[run].get(attempt);
    const name = `${runs[run].id}\0${runs[run].name}\0${row.key}\0${at?.[0]}`;
    if (!this.#read.has(name)) {
      if (this.#read.size > KEPT) this.#read.clear();
      const made = readSide(this.data, runs[run], at);
      made.catch(() => this.#read.delete(name));
      this.#read.set(name, made);
    }
    return this.#read.get(name);
  }

  #paint(wanted, attempts, attempt, sides) {
    const width = this.#beside.matches ? this.box.clientWidth || innerWidth * 0.6 : Math.min(innerWidth, UNIFIED);
    const options = { tab: this.state.get().tab, unified: width <= UNIFIED, expected: expectedOf(wanted), prompt: wanted.row.prompt };
    const body = sides ? cellBody(sides, options) : h('p', { class: 'diff-note' }, 'Reading…');
    this.#put(this.#head(wanted, attempts, attempt, sides), body);
  }

  #head({ row, runs, other }, attempts, attempt, sides) {
    const copyButton = h('button', { type: 'button', class: 'icon-button cmp-small', 'aria-label': 'Copy as Markdown', title: 'Copy as Markdown', disabled: !sides, on: { click: () => void copy(compareMarkdownOfCell(row, sides), copyButton) } }, icon('copy', 14));
    const close = h('button', { type: 'button', class: 'icon-button cmp-small', 'aria-label': 'Close', title: 'Close (Esc)', on: { click: this.onClose } }, icon('close', 14));
    const against = h('span', { class: 'cell-note cell-against', title: `${runs[0].name} against ${runs[other].name}` }, `baseline against ${runs[other].name}`);
    return {
      title: [h('span', { class: 'mono cell-id', title: row.testId }, row.testId), row.agent ? chip(row.agent) : null, against],
      tools: [attempts.length > 1 ? this.#attempts(attempts, attempt) : null, tabButtons(this.state.get().tab, (tab) => this.state.set({ tab })), copyButton],
      close,
    };
  }

  #attempts(attempts, chosen) {
    if (attempts.length > MOST_BUTTONS) return this.#attemptList(attempts, chosen);
    const button = (attempt) => h('button', { type: 'button', 'aria-pressed': String(attempt === chosen), 'aria-label': `Attempt ${attempt}`, on: { click: () => this.state.set({ attempt }) } }, String(attempt));
    return h('div', { class: 'segment', role: 'group', 'aria-label': 'Attempt' }, attempts.map(button));
  }

  #attemptList(attempts, chosen) {
    const options = attempts.map((attempt) => h('option', { value: String(attempt), selected: attempt === chosen }, `Attempt ${attempt}`));
    return h('select', { class: 'select', 'aria-label': 'Attempt', on: { change: (event) => this.state.set({ attempt: Number(event.target.value) }) } }, options);
  }

  #put({ title, tools, close }, body) {
    this.box.setAttribute('aria-busy', 'false');
    if (this.#beside.matches) this.#putBeside(title, [...tools, close], body);
    else this.#putOver(title, tools, body);
  }

  #putBeside(title, tools, body) {
    this.#shut();
    this.place.hidden = false;
    const scrolled = this.box.scrollTop;
    const held = focusName(this.box);
    fill(this.box, h('div', { class: 'cell-head' }, h('h3', { class: 'cell-title' }, title), h('div', { class: 'cell-tools' }, tools)), body, this.#foot());
    this.box.scrollTop = scrolled;
    giveFocus(this.box, held);
  }

  /** The sheet has a button of its own that closes it. */
  #putOver(title, tools, body) {
    this.place.hidden = true;
    fill(this.box);
    this.#over ??= sheet({ title: '', body: null, class: 'cmp-sheet', onClose: () => this.#sheetClosed() });
    const { el } = this.#over;
    const held = focusName(el);
    fill(el.querySelector('h2'), title);
    fill(el.querySelector('.dialog-body'), h('div', { class: 'cell-tools' }, tools), body);
    giveFocus(el, held);
  }

  /** By the reader, when the panel still knows of it. */
  #sheetClosed() {
    if (!this.#over) return;
    this.#over = null;
    this.onClose();
  }

  #shut() {
    const open = this.#over;
    this.#over = null;
    open?.close();
  }

  #foot() {
    const button = (keys, label, run) => h('button', { type: 'button', class: 'cell-key', 'aria-label': label, on: { click: run } }, caps(keys));
    const tests = h('span', null, button('j', 'Next test', () => this.onMove(1)), button('k', 'Previous test', () => this.onMove(-1)), 'next, previous');
    const runs = this.#now.runs.length > 2 ? h('span', null, button('[', 'Run to the left', () => this.onRun(-1)), button(']', 'Run to the right', () => this.onRun(1)), 'other run') : null;
    return h('div', { class: 'cell-foot' }, tests, runs);
  }

  hide() {
    this.#asked += 1;
    this.#now = null;
    this.place.hidden = true;
    fill(this.box);
    this.#shut();
  }
}

/** Attempts that either run has; those of all runs where there are any. */
function attemptsOf({ row, other }) {
  const [base, run] = [row.case.runs[0], row.case.runs[other]];
  return [...new Set([...base.keys(), ...run.keys()])].sort((a, b) => a - b);
}

/** The attempt to begin with: the first in which the two runs differ. */
function firstApart({ row, runs, other }, attempts) {
  const success = (run, attempt) => {
    const at = row.case.runs[run].get(attempt);
    return at ? runs[run].tests.columns.success[at[0]] : undefined;
  };
  return attempts.find((attempt) => success(0, attempt) !== success(other, attempt)) ?? attempts[0];
}

/** What the task expects, as the light rows tell it in a line. */
function expectedOf({ row, runs }) {
  const { from, at } = row.case;
  return runs[from].tests.columns.expected?.[at] ?? null;
}

/** Painting anew must not lose the reader's place: the same button has the same name. */
function focusName(box) {
  const held = document.activeElement;
  return box.contains(held) ? held.getAttribute('aria-label') ?? held.textContent : null;
}

function giveFocus(box, name) {
  if (name === null || box.contains(document.activeElement)) return;
  [...box.querySelectorAll('button, a, select')].find((each) => (each.getAttribute('aria-label') ?? each.textContent) === name)?.focus({ preventScroll: true });
}
