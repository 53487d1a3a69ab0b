/**
 * What the reader has chosen of a trace: what is unfolded, selected, zoomed to and looked for. It can be written into
 * an address and read from one.
 *
 * @typedef {import('./tracemodel.js').TraceModel} TraceModel
 */
import {foldText, openingLevel, readFolds, reveal, unfolded, visibleRows} from './folds.js';
import {matcher, nextMatch} from './find.js';

export const TABS = ['messages', 'io', 'attributes', 'raw'];
/** The names in the address and what they are without it. */
export const DEFAULTS = {run: '', trace: '', span: '', tab: 'messages', from: '', to: '', mode: 'total', fold: '', q: '', gaps: true, critical: true};
const MOST_LEVELS = 999;
const MOST_QUESTION = 300;
/** No zoom is closer than this part of the trace: below, times lose their digits. */
const LEAST_ZOOM = 1e-6;

export class TraceView {
  /** Nodes that are folded the other way than their level says, the newest last. @type {number[]} */
  single = [];
  selected = -1;
  tab = 'messages';
  /** @type {'total'|'self'} */
  mode = 'total';
  /** Whether long idle gaps are drawn short. */
  short = true;
  critical = true;
  /** ms; null: the whole trace. @type {{from: number, to: number}|null} */
  zoom = null;
  q = '';
  /** @type {RegExp|null} */
  pattern = null;
  /** The spans that match, from top to bottom. @type {number[]} */
  found = [];
  /** Which of them is the current one, −1 for none. */
  at = -1;

  /** @param {TraceModel} model */
  constructor(model) {
    this.model = model;
    this.tree = model.tree;
    this.setLevel(openingLevel(model.tree));
  }

  /** @param {number} level  @param {number[]} [single] */
  setLevel(level, single = []) {
    this.level = Math.min(Math.max(level, 0), MOST_LEVELS);
    this.single = single;
    this.open = unfolded(this.tree, this.level);
    for (const node of single) this.open[node] ^= 1;
    this.rows = visibleRows(this.tree, this.open);
  }

  /** @param {number} node  @param {boolean} [open] @returns {boolean} whether anything changed */
  fold(node, open = !this.open[node]) {
    if (node < 0 || this.tree.first[node] < 0 || Boolean(this.open[node]) === open) return false;
    this.open[node] = open ? 1 : 0;
    this.#note(node);
    this.rows = visibleRows(this.tree, this.open);
    return true;
  }

  #note(node) {
    const at = this.single.indexOf(node);
    if (at >= 0) this.single.splice(at, 1);
    else this.single.push(node);
  }

  /** The deepest level that is unfolded now. */
  deepest() {
    let level = 0;
    for (const node of this.rows) level = Math.max(level, this.tree.depth[node]);
    return level;
  }

  /** @returns {boolean} whether rows were unfolded for it */
  select(node) {
    this.selected = node;
    const changed = node < 0 ? [] : reveal(this.tree, this.open, node);
    for (const each of changed) this.#note(each);
    if (changed.length > 0) this.rows = visibleRows(this.tree, this.open);
    return changed.length > 0;
  }

  /** @param {{from: number, to: number}|null} zoom ms */
  setZoom(zoom) {
    const {length} = this.tree;
    const least = length * LEAST_ZOOM;
    const from = Math.min(Math.max(zoom?.from ?? 0, 0), Math.max(length - least, 0));
    const to = Math.max(Math.min(zoom?.to ?? length, length), from + least);
    this.zoom = !zoom || !(to > from) || (from <= 0 && to >= length) ? null : {from, to};
  }

  /** @param {string} q */
  find(q) {
    const current = this.found[this.at];
    this.q = q;
    this.pattern = matcher(q);
    this.found = this.model.search.find(q);
    this.at = this.found.indexOf(current);
  }

  /** Go to the match after the selected span, or the one before. @param {1|-1} way @returns {number} its node, −1 without any */
  step(way) {
    this.at = nextMatch(this.tree, this.found, this.selected, way);
    return this.match();
  }

  /** The node of the current match, −1 without one. */
  match() {
    return this.at < 0 ? -1 : this.found[this.at];
  }

  /** What the tree shows. @returns {import('../paint/treerow.js').Scene} */
  scene() {
    return {
      model: this.model,
      rows: this.rows,
      open: this.open,
      selected: this.selected,
      mode: this.mode,
      critical: this.critical,
      pattern: this.pattern,
      match: this.match(),
      view: this.zoom ?? {from: 0, to: this.tree.length || 1},
      gaps: this.short ? this.model.gaps : [],
    };
  }

  /** @param {typeof DEFAULTS} state as the address holds it; what makes no sense in it is passed over */
  read(state) {
    const {level, single} = readFolds(this.tree, this.model.columns.id, state.fold);
    this.setLevel(level, single);
    this.tab = TABS.includes(state.tab) ? state.tab : 'messages';
    this.mode = state.mode === 'self' ? 'self' : 'total';
    this.short = state.gaps;
    this.critical = state.critical;
    this.setZoom(state.from === '' && state.to === '' ? null : {from: numberOr(state.from, 0), to: numberOr(state.to, this.tree.length)});
    this.find(state.q);
    this.select(this.model.nodeOf(state.span));
    this.at = this.found.indexOf(this.selected);
  }

  /** What the address shall hold. */
  write() {
    return {
      span: this.model.idOf(this.selected) ?? '',
      tab: this.tab,
      from: this.zoom ? time(this.zoom.from) : '',
      to: this.zoom ? time(this.zoom.to) : '',
      mode: this.mode,
      fold: foldText(this.tree, this.model.columns.id, this.level, this.single),
      q: this.q.trim().slice(0, MOST_QUESTION),
      gaps: this.short,
      critical: this.critical,
    };
  }
}

const time = (ms) => String(Number(ms.toFixed(3)));

function numberOr(text, fallback) {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? value : fallback;
}
