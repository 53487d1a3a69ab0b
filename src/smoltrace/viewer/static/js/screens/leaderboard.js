/** The Leaderboard screen: all runs of a task set, what they achieve and what it takes. */

import {axisName} from '../model/axes.js';
import {dateSpan, rankNote, testsOfRuns} from '../model/boardfacts.js';
import {DEFAULTS, MOST_PINS, filterCount, queryOf, withoutFilters} from '../model/boardstate.js';
import {columnsOf} from '../model/columns.js';
import {Pages} from '../model/paging.js';
import {toggled} from '../model/listing.js';
import {href, urlState} from '../model/state.js';
import {axisSelector, compareButton, downloadButton, titleFacts} from '../paint/boardhead.js';
import {BoardTable} from '../paint/boardtable.js';
import {cardParts} from '../paint/cards.js';
import {columnMenu} from '../paint/columnmenu.js';
import {fill, h} from '../paint/dom.js';
import {FacetBar} from '../paint/facets.js';
import {openFilters} from '../paint/filtersheet.js';
import {keys} from '../paint/keys.js';
import {phoneBar} from '../paint/phonebar.js';
import {Scatter} from '../paint/scatter.js';
import {emptyPanel, failPanel} from '../paint/shell.js';
import {LiveBoard} from './liveboard.js';

/**
 * @param {{data: import('../data/adapter.js').Data, shell: import('../paint/shell.js').Shell}} given
 */
export async function showLeaderboard({data, shell}) {
  const info = await data.store();
  if (!hasRuns(info)) showEmpty({data, shell}, info);
  else await new Leaderboard(data, shell).start();
}

/** A store without runs: the command that makes one. The first run that begins brings the board. */
function showEmpty({data, shell}, info) {
  shell.setTitle('Leaderboard');
  const refused = (info.refused ?? []).map(({path, error}) => h('p', {class: 'refused'}, `${path}: ${error}`));
  fill(shell.main, emptyPanel('There are no runs in this store yet. This makes the first one:', info.hint), refused);
  let waits = true;
  // A stream begins by telling how the store stands, which is no change.
  const stop = data.watch(null, async () => {
    const now = await data.store().catch(() => null);
    if (now === null || !hasRuns(now) || !waits) return;
    waits = false;
    stop();
    await new Leaderboard(data, shell).start().catch((error) => fill(shell.main, failPanel(error)));
  });
}

function hasRuns({runs, live}) {
  return runs + (live ?? 0) > 0;
}

class Leaderboard {
  /** @type {object|null} the last answers */
  #page = null;
  #chart = null;
  #chartAsked = 0;
  /** @type {Map<string, object>|null} rows at hand by run id */
  #rowsById = null;

  constructor(data, shell) {
    this.data = data;
    this.shell = shell;
    this.state = urlState(DEFAULTS);
    this.before = this.#now();
    const change = (patch) => this.state.set(patch);
    const pin = (runId) => this.#pin(runId);
    const open = (runId, event) => openRun(runId, event);
    this.rows = new Pages((offset, limit) => data.leaderboard({...queryOf(this.#now()), offset, limit}), {
      onRows: () => this.#rowsCame(),
      onError: (error) => shell.toast(error.message),
    });
    const pins = () => this.#now().pins;
    this.scatter = new Scatter({onOpen: open, onPin: pin, rowOf: (runId) => this.#rowOf(runId)});
    this.cards = h('div', {class: 'cards'});
    this.top = h('section', {class: 'board-top', 'aria-label': 'Chart and best runs'}, this.scatter.el, this.cards);
    this.axis = axisSelector((axis) => change({axis}));
    this.compare = compareButton(pins, (reason) => shell.toast(reason));
    this.columns = columnMenu(() => columnsOf(this.#now().cols).map((column) => column.key), (cols) => change({cols}));
    this.facets = new FacetBar(change, [this.columns.button]);
    const refuse = (reason) => shell.toast(reason);
    this.phoneBar = phoneBar({pins, onFilter: () => this.#openFilters(), onSort: (sort) => change({sort}), onRefused: refuse});
    const clear = () => change(withoutFilters());
    const point = (runId) => this.scatter.highlight(runId);
    this.table = new BoardTable(this.rows, {onOpen: open, onPin: pin, onChange: change, onClear: clear, onPoint: point});
    this.live = new LiveBoard(data, {query: () => queryOf(this.#now()), onPill: (text) => shell.pill(text, () => void this.#reload())});
  }

  async start() {
    const {shell} = this;
    shell.setToolbar(this.axis.el, this.axis.small, this.#download(), this.compare.el);
    fill(shell.main, this.top, this.facets.el, this.phoneBar.el, this.table.el);
    this.#paintHead();
    this.#keys();
    // What is chosen before the first answer must not be lost.
    this.state.onChange(() => void this.#changed());
    await this.#load();
    this.live.start();
  }

  /** The address as it is, an unknown axis read as the first one. */
  #now() {
    const state = this.state.get();
    return {...state, axis: axisName(state.axis)};
  }

  #download() {
    return downloadButton(this.data, () => queryOf(this.#now()), (error) => this.shell.toast(error.message));
  }

  /** Only what an address' change touches is asked and painted anew. */
  async #changed() {
    const [before, now] = [this.before, this.#now()];
    this.before = now;
    const differs = (names) => names.some((name) => String(before[name]) !== String(now[name]));
    const asked = JSON.stringify(queryOf(before)) !== JSON.stringify(queryOf(now));
    if (asked) await this.#reload();
    else if (differs(['axis'])) await this.#loadChart().catch((error) => this.shell.toast(error.message));
    if (differs(['pins'])) this.#paintPins();
    if (differs(['cols']) && !asked && this.#page !== null) this.#paintTable();
    this.#paintHead();
  }

  async #reload() {
    try {
      await this.#load();
    } catch (error) {
      this.shell.toast(error.message);
    }
  }

  /** Raises what the first page or the chart raise. */
  async #load() {
    this.table.setBusy(true);
    try {
      const [page] = await Promise.all([this.rows.reset(), this.#loadChart()]);
      if (page === null) return;
      this.#page = page;
      this.#rowsById = null;
      this.live.shown(page);
      this.#paintTable();
      this.#paintHead();
      this.#paintFacets();
    } finally {
      this.table.setBusy(false);
    }
  }

  async #loadChart() {
    this.#chartAsked += 1;
    const asked = this.#chartAsked;
    const {axis, ...state} = this.#now();
    const chart = await this.data.chart(queryOf(state), axis);
    if (asked !== this.#chartAsked) return;
    this.#chart = chart;
    this.#rowsById = null;
    // Without a run there is nothing to draw: the table says why.
    this.top.hidden = chart.points.length + chart.unplaced.length + (chart.no_result ?? 0) === 0;
    this.scatter.update(chart, this.#now().pins);
    fill(this.cards, cardParts(chart.cards));
    this.#paintHead();
  }

  #rowsCame() {
    this.#rowsById = null;
    this.table.refresh();
  }

  #rowOf(runId) {
    if (this.#rowsById === null) {
      const cards = Object.values(this.#chart?.cards ?? {}).filter(Boolean).map((card) => card.row);
      this.#rowsById = new Map([...cards, ...this.rows.rows()].map((row) => [row.run_id, row]));
    }
    return this.#rowsById.get(runId) ?? null;
  }

  #paintHead() {
    const now = this.#now();
    this.axis.update(now.axis);
    this.compare.update();
    this.columns.update();
    this.phoneBar.update({pins: now.pins, sort: now.sort, filters: filterCount(now)});
    const page = this.#page;
    if (page === null) return this.shell.setTitle('Leaderboard');
    const facts = {
      runs: page.total,
      taskSets: page.task_sets,
      tasks: page.tasks,
      tests: testsOfRuns(this.#chart),
      sameScorers: page.same_scorers ?? null,
    };
    this.shell.setTitle('Leaderboard', {after: titleFacts(facts, (tasks) => this.state.set({tasks}))});
  }

  #paintTable() {
    this.table.update(this.#now(), this.rows.total);
  }

  #shownFacets() {
    const rows = this.rows.rows();
    const {facets, total} = this.#page;
    return {state: this.#now(), facets, span: dateSpan(rows, total), rankNote: rankNote(rows)};
  }

  #paintFacets() {
    this.facets.update(this.#shownFacets());
  }

  #paintPins() {
    const {pins} = this.#now();
    this.table.showPins(pins);
    if (this.#chart !== null) this.scatter.update(this.#chart, pins);
  }

  #openFilters() {
    if (this.#page !== null) openFilters(this.#shownFacets(), (patch) => this.state.set(patch), [this.#download()]);
  }

  #pin(runId) {
    const pins = toggled(this.#now().pins, runId);
    if (pins.length > MOST_PINS) this.shell.toast(`At most ${MOST_PINS} runs can be pinned`);
    else this.state.set({pins});
  }

  #keys() {
    const focused = () => document.activeElement?.closest?.('[data-run]')?.getAttribute('data-run') ?? null;
    keys([
      {keys: 'c', label: 'Compare the pinned runs', run: () => this.compare.press()},
      {keys: 'p', label: 'Pin the run under the focus, or unpin it', when: () => focused() !== null, run: () => this.#pin(focused())},
      {keys: 'u', label: 'Unpin all', run: () => this.state.set({pins: []})},
      {keys: 'g', label: 'Group by model', run: () => this.state.set({group: this.#now().group === '' ? 'model' : ''})},
      {keys: 'f', label: 'Find runs', run: () => this.facets.search.el.focus()},
      {keys: 'j k', label: 'Next and previous run', run: () => this.table.table.move(0)},
      {keys: 'Enter', label: 'Open the run'},
    ]);
  }
}

/** As a link does: with a key for another tab it opens there. */
function openRun(runId, event) {
  const address = href('run', {id: runId});
  if (event && (event.ctrlKey || event.metaKey)) open(address, '_blank', 'noopener');
  else location.assign(address);
}
