/** The Compare screen: two to ten runs side by side, the first is the baseline. */
import {metricGrid} from '../layout/metricgrid.js';
import {compareNotes, pairedText, titleText} from '../model/comparenotes.js';
import {count} from '../model/format.js';
import {matchedBy, matchTests} from '../model/match.js';
import {comparison} from '../model/paired.js';
import {urlState} from '../model/state.js';
import {downloadMenu, copyMarkdown} from '../paint/comparemenu.js';
import {showHow, showMetric} from '../paint/comparehelp.js';
import {configTable} from '../paint/configtable.js';
import {dialog} from '../paint/dialog.js';
import {fill, h, onFrame} from '../paint/dom.js';
import {keys} from '../paint/keys.js';
import {metricRows} from '../paint/metricrows.js';
import {runChooser} from '../paint/runchooser.js';
import {failPanel} from '../paint/shell.js';
import {icon} from '../paint/svg.js';
import {MOST_RUNS, readRuns} from './comparedata.js';
import {CompareTests} from './comparetests.js';

const STATE = { runs: [], show: 'all', config: '', cell: '', q: '', category: '', tab: 'output', attempt: 0 };

/** @param {{data: import('../data/adapter.js').Data, shell: import('../paint/shell.js').Shell}} context */
export async function showCompare({ data, shell }) {
  const state = urlState(STATE);
  const screen = new CompareScreen(data, shell, state);
  // Back may be pressed while the runs are read.
  state.onChange(() => screen.changed());
  await screen.load();
}

class CompareScreen {
  /** Order of the runs that are shown; the address tells which are wanted. */
  #ids = '';
  #loading = 0;
  #stops = [];

  constructor(data, shell, state) {
    Object.assign(this, { data, shell, state });
    this.shown = null;
    this.metrics = h('section', { class: 'cmp-top', 'aria-label': 'Metrics by run' });
    this.notes = h('div', { class: 'cmp-notes' });
    this.config = h('div');
    this.tests = new CompareTests({ data, state });
    this.width = 0;
    new ResizeObserver(onFrame(() => this.paintMetrics())).observe(this.metrics);
    keys([
      { keys: 'j', label: 'Next test', run: () => this.tests.step(1), when: () => this.shown },
      { keys: 'k', label: 'Previous test', run: () => this.tests.step(-1), when: () => this.shown },
      { keys: 'Enter', label: 'Open the test in two runs' },
      { keys: '[', label: 'Run to the left', run: () => this.tests.turn(-1), when: () => this.shown },
      { keys: ']', label: 'Run to the right', run: () => this.tests.turn(1), when: () => this.shown },
      { keys: 'Escape', label: 'Close the test', run: () => this.tests.close(), when: () => this.shown && this.tests.isOpen() },
      { keys: 'c', label: 'Configuration', run: () => this.setConfig(), when: () => this.shown },
      { keys: 'm', label: 'Copy as Markdown', run: () => void copyMarkdown(this.shown, this.shell), when: () => this.shown },
    ]);
  }

  /** The runs of the address, each once. */
  wanted() {
    return [...new Set(this.state.get().runs)];
  }

  async load() {
    const ids = this.wanted();
    this.#ids = ids.join('\0');
    this.#loading += 1;
    const mine = this.#loading;
    for (const stop of this.#stops.splice(0)) stop();
    this.shell.pill(null);
    if (ids.length < 2) return this.choose(ids);
    try {
      const found = await readRuns(this.data, ids.slice(0, MOST_RUNS));
      if (mine === this.#loading) this.show(found);
    } catch (error) {
      if (mine === this.#loading) await this.fail(error, ids);
    }
    return undefined;
  }

  changed() {
    if (this.wanted().join('\0') !== this.#ids) return void this.load();
    if (!this.shown) return undefined;
    this.paintConfig();
    return this.tests.paint();
  }

  /** An address that asks for runs that are not there still offers those that are. */
  async fail(error, ids) {
    if (error.status === undefined) console.error(error);
    await this.choose([], failPanel(error));
    this.shell.setTitle('Compare', { after: `${ids.length} runs` });
  }

  async choose(chosen, above = null) {
    this.shown = null;
    this.shell.setToolbar();
    this.shell.setTitle('Compare', { after: 'runs side by side, test by test' });
    const onChoose = (ids) => this.state.set({ runs: ids, cell: '' }, { replace: false });
    const chooser = await runChooser({ data: this.data, chosen, most: MOST_RUNS, onChoose, suggest: true });
    fill(this.shell.main, above, chooser);
  }

  show({ runs, about }) {
    const match = matchTests(runs.map((run) => run.tests));
    const numbers = comparison(runs.map((run) => run.tests), match, runs.map((run) => run.row));
    this.shown = { runs, about, match, numbers, paired: pairedText(match), banner: compareNotes(runs, match, about), rows: () => this.tests.rows() };
    this.shell.setTitle('Compare', { after: titleText(runs, match, about), page: `Compare ${runs.map((run) => run.name).join(', ')}` });
    this.paintToolbar();
    fill(this.notes, this.shown.banner.map((text) => h('p', { class: 'cmp-note', role: 'note' }, text)));
    if (!this.metrics.isConnected) fill(this.shell.main, this.notes, this.metrics, this.config, this.tests.el);
    this.width = 0;
    this.paintMetrics();
    this.paintConfig();
    this.tests.setRuns(runs, match);
    this.watch(runs);
  }

  paintToolbar() {
    const { runs } = this.shown;
    const add = h('button', { type: 'button', class: 'button', disabled: runs.length >= MOST_RUNS, title: runs.length >= MOST_RUNS ? `${MOST_RUNS} runs are the most` : null, on: { click: () => void this.add() } }, icon('plus', 14), 'Add run');
    this.configBox = h('input', { type: 'checkbox', on: { change: () => this.setConfig() } });
    const config = h('label', { class: 'button' }, this.configBox, h('span', null, 'Config', h('span', { class: 'cmp-long' }, ' differences')));
    this.shell.setToolbar(config, add, downloadMenu(this.shown, this.shell));
  }

  setConfig() {
    this.state.set({ config: this.state.get().config ? '' : '1' });
  }

  paintConfig() {
    const { config } = this.state.get();
    this.configBox.checked = Boolean(config);
    fill(this.config, config ? configTable(this.shown.runs, { all: config === 'all', onAll: (all) => this.state.set({ config: all ? 'all' : '1' }) }) : null);
  }

  paintMetrics() {
    const width = this.metrics.clientWidth;
    if (!this.shown || !width || width === this.width) return;
    this.width = width;
    const { runs, numbers, paired, match } = this.shown;
    const grid = metricGrid(width, runs.length - 1);
    const actions = { move: (from, to) => this.move(from, to), remove: (index) => this.remove(index) };
    const help = { onMetric: (metric) => showMetric(metric, this.shown), onHow: () => showHow(matchedBy(match)) };
    fill(this.metrics, metricRows({ runs, numbers, actions, grid, paired, ...help }));
  }

  move(from, to) {
    const ids = this.shown.runs.map((run) => run.id);
    ids.splice(to, 0, ...ids.splice(from, 1));
    this.setRuns(ids);
  }

  remove(index) {
    this.setRuns(this.shown.runs.map((run) => run.id).filter((_, i) => i !== index));
  }

  /** A cell that is open stays open where its run is still another one than the baseline. */
  setRuns(ids) {
    const { cell } = this.state.get();
    const run = cell.slice(cell.lastIndexOf('~') + 1);
    this.state.set({ runs: ids, cell: ids.indexOf(run) > 0 ? cell : '' }, { replace: false });
  }

  async add() {
    const onChoose = (ids) => {
      made.close();
      this.setRuns(ids);
    };
    const chosen = this.shown.runs.map((run) => run.id);
    const body = await runChooser({ data: this.data, chosen, most: MOST_RUNS, onChoose });
    const made = dialog({ title: 'Runs to compare', body, class: 'dialog-wide' });
  }

  /** Nothing moves under the reader: what is new in a live run waits behind the pill. */
  watch(runs) {
    /** New tests by run: several may be live. @type {Map<string, number>} */
    const fresh = new Map();
    for (const run of runs.filter((each) => each.status === 'running')) {
      const tell = ({ status, finished }) => {
        fresh.set(run.id, Math.max(finished - run.tests.count, 0));
        const more = [...fresh.values()].reduce((sum, each) => sum + each, 0);
        if (more > 0) this.shell.pill(`${count(more)} new`, () => void this.load());
        else if (status !== 'running') void this.load();
      };
      this.#stops.push(this.data.watch(run.id, tell));
    }
  }
}
