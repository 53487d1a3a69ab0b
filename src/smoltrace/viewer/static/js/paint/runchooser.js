/** Which runs to compare: a list with boxes, the newest of one task set suggested. */
import {count, date, interval, money, percent} from '../model/format.js';
import {whyNoRate} from '../model/judged.js';
import {shortAgent, shortModel, shortName} from '../model/runname.js';
import {successBar} from './bar.js';
import {statusChip} from './chip.js';
import {fill, h} from './dom.js';
import {costFigure, figure} from './number.js';
import {emptyPanel} from './shell.js';

const LIMIT = 200;
const SUGGESTED = 3;
/** Ms after the last key press until it asks. */
const REST = 200;
/** Runs that are found without a field. */
const FEW = 8;

/**
 * @typedef {object} Given
 * @property {import('../data/adapter.js').Data} data
 * @property {string[]} chosen runs that are chosen already, in order
 * @property {number} most
 * @property {(ids: string[]) => void} onChoose
 * @property {boolean} [suggest] offer the newest runs
 */

/** @param {Given} given @returns {Promise<HTMLElement>} */
export async function runChooser(given) {
  const store = await given.data.store();
  if (!store.runs) return emptyPanel('There are no runs to compare yet. This makes the first one:', store.hint);
  const page = await readPage(given.data);
  return new Chooser(given, store, page).el;
}

function readPage(data, more = {}) {
  return data.leaderboard({ sort: '-evaluation_date', limit: LIMIT, ...more });
}

class Chooser {
  #asked = 0;

  constructor({ data, chosen, most, onChoose, suggest = false }, store, page) {
    Object.assign(this, { data, most, page, chosen: [...chosen] });
    this.list = h('div', { class: 'choose-list' });
    this.go = h('button', { type: 'button', class: 'button', on: { click: () => onChoose(this.chosen) } });
    this.note = h('span', { class: 'cell-note', role: 'status' });
    this.find = h('input', { type: 'search', class: 'field', placeholder: 'Find runs', 'aria-label': 'Find runs by model, tag or note', autocomplete: 'off', on: { input: () => void this.search() } });
    this.tasks = taskSelect(store, page, () => void this.search());
    this.lead = suggest ? suggestion(page, onChoose) : null;
    const finding = page.total > FEW || this.tasks ? [this.find, this.tasks] : null;
    const tools = h('div', { class: 'toolbar choose-tools' }, finding, h('div', { class: 'toolbar-end' }, this.note, this.go));
    this.el = h('div', { class: 'choose' }, this.lead, tools, this.list);
    this.paint();
  }

  /** When the typing rests; what comes late is not shown. */
  async search() {
    this.#asked += 1;
    const mine = this.#asked;
    await new Promise((done) => setTimeout(done, REST));
    if (mine !== this.#asked) return;
    const tasks = this.tasks ? { tasks: this.tasks.value } : {};
    try {
      const page = await readPage(this.data, { q: this.find.value.trim(), ...tasks });
      if (mine !== this.#asked) return;
      this.page = page;
      this.paint();
    } catch (error) {
      this.note.textContent = error.message;
    }
  }

  toggle(id) {
    if (this.chosen.includes(id)) this.chosen = this.chosen.filter((one) => one !== id);
    else if (this.chosen.length < this.most) this.chosen = [...this.chosen, id];
    this.paint();
  }

  paint() {
    const { list, chosen, most } = this;
    const focused = list.contains(document.activeElement) ? document.activeElement.value : null;
    fill(list, table(this.page, chosen, most, (id) => this.toggle(id)));
    if (focused) list.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    const ready = chosen.length >= 2;
    this.go.disabled = !ready;
    this.go.classList.toggle('button-main', ready);
    this.lead?.querySelector('.choose-these')?.classList.toggle('button-main', !ready);
    this.go.textContent = ready ? `Compare ${chosen.length} runs` : 'Compare';
    this.note.textContent = !chosen.length ? `Choose 2 to ${most}; the first is the baseline.` : !ready ? 'One more, at least.' : chosen.length >= most ? `That is the most: ${most}.` : '';
  }
}

function taskSelect(store, page, onChange) {
  if (store.task_sets.length < 2) return null;
  const options = store.task_sets.map((set) => h('option', { value: set.fingerprint, selected: set.fingerprint === page.tasks }, `${shortName(set.name ?? 'unnamed tasks')} (${count(set.runs)})`));
  return h('select', { class: 'select', 'aria-label': 'Task set', on: { change: onChange } }, options, h('option', { value: 'all' }, 'All task sets'));
}

/** The newest finished runs of the task set, one a model as far as there are several. */
function suggestion(page, onChoose) {
  const done = page.rows.filter((row) => row._status === 'completed');
  const ready = done.length >= 2 ? done : page.rows;
  const models = ready.filter((row, i) => ready.findIndex((other) => other.model === row.model) === i);
  const picked = (models.length >= 2 ? models : ready).slice(0, SUGGESTED).sort((a, b) => a.evaluation_date - b.evaluation_date);
  if (picked.length < 2) return h('p', { class: 'choose-lead' }, 'Two runs at least are needed for a comparison.');
  const name = shortName(picked[0].dataset_used ?? 'the tasks');
  return h(
    'p',
    { class: 'choose-lead' },
    `The newest of ${name}: ${picked.map((row) => shortModel(row.model)).join(', ')}.`,
    h('button', { type: 'button', class: 'button button-main choose-these', on: { click: () => onChoose(picked.map((row) => row.run_id)) } }, `Compare these ${picked.length}`),
  );
}

function table(page, now, most, toggle) {
  if (!page.rows.length) return h('p', { class: 'diff-note' }, 'No run is like that.');
  const more = page.total - page.rows.length;
  const head = ['', 'Model', 'Agent', 'Success', '%', 'Cost / test', 'Tests', 'Date', 'Run'];
  return [
    h(
      'table',
      { class: 'plain-table choose-table', 'aria-label': 'Runs' },
      h('thead', null, h('tr', null, head.map((text, i) => h('th', { scope: 'col', class: i === 3 ? 'choose-bar' : i >= 4 && i <= 6 ? 'right' : null }, text || h('span', { class: 'sr' }, 'Chosen'))))),
      h('tbody', null, page.rows.map((row) => rowOf(row, now, most, toggle))),
    ),
    more > 0 ? h('p', { class: 'diff-note' }, `${count(more)} more runs: find them by name.`) : null,
  ];
}

function rowOf(row, now, most, toggle) {
  const place = now.indexOf(row.run_id);
  const disabled = place < 0 && now.length >= most;
  const box = h('input', { type: 'checkbox', value: row.run_id, checked: place >= 0, disabled, 'aria-label': `${row.model ?? 'unnamed'}, ${row.run_id}`, on: { change: () => toggle(row.run_id) } });
  const press = (event) => {
    if (event.target !== box && !disabled) toggle(row.run_id);
  };
  const status = row._status === 'completed' ? null : statusChip(row._status);
  return h(
    'tr',
    { class: place >= 0 ? 'chosen' : null, on: { click: press } },
    h('td', { class: 'choose-box' }, box, h('span', { class: 'choose-place' }, place < 0 ? '' : place === 0 ? 'baseline' : String(place + 1))),
    h('td', { class: 'choose-model', title: row.model }, shortModel(row.model), ' ', status),
    h('td', null, shortAgent(row.agent_type)),
    h('td', { class: 'choose-bar' }, successBar(row.success_rate, row.success_rate_ci_low, row.success_rate_ci_high, { width: 112 })),
    h('td', { class: 'right', title: `interval ${interval(row.success_rate_ci_low, row.success_rate_ci_high) ?? 'unknown'}` }, figure(percent(row.success_rate), { why: whyNoRate(row) })),
    h('td', { class: 'right' }, row._cost ? costFigure(row._cost) : figure(money(row.avg_cost_per_test_usd))),
    h('td', { class: 'right' }, figure(count(row.num_tests))),
    h('td', null, date(row.evaluation_date) ?? '—'),
    h('td', { class: 'mono choose-id', title: row.run_id }, row.run_id),
  );
}
