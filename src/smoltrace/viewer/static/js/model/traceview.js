/**
 * What the reader has chosen of a trace: what is unfolded, selected, zoomed to and looked for. It can be written into
 * an address and read from one.
 *
 * @typedef {import('./tracemodel.js').TraceModel} TraceModel
 * @typedef {ReturnType<typeof traceView>} TraceView
 */
import {foldText, openingLevel, readFolds, reveal, unfolded, visibleRows} from './folds.js';
import {matcher, nextMatch} from './find.js';

export const TABS = ['messages', 'io', 'attributes', 'raw'];
/** The names in the address and what they are without it. */
export const DEFAULTS = {run: '', trace: '', span: '', tab: 'messages', from: '', to: '', mode: 'total', fold: '', q: '', gaps: true, critical: true};
const MOST_LEVELS = 999;

/** @param {TraceModel} model */
export function traceView(model) {
  const {tree, columns} = model;
  const view = {
    model,
    level: openingLevel(tree),
    /** Nodes that are folded the other way than their level says, the newest last. @type {number[]} */
    single: [],
    open: unfolded(tree, openingLevel(tree)),
    rows: new Int32Array(0),
    selected: -1,
    tab: 'messages',
    mode: /** @type {'total'|'self'} */ ('total'),
    short: true,
    critical: true,
    /** @type {{from: number, to: number}|null} */
    zoom: null,
    q: '',
    /** @type {RegExp|null} */
    pattern: null,
    /** @type {number[]} */
    found: [],
    at: -1,
  };

  function setLevel(level, single = []) {
    view.level = Math.min(Math.max(level, 0), MOST_LEVELS);
    view.single = single;
    view.open = unfolded(tree, view.level);
    for (const node of single) view.open[node] ^= 1;
    view.rows = visibleRows(tree, view.open);
  }

  function note(node) {
    const at = view.single.indexOf(node);
    if (at >= 0) view.single.splice(at, 1);
    else view.single.push(node);
  }

  /** @param {number} node  @param {boolean} [open] @returns {boolean} whether anything changed */
  function fold(node, open = !view.open[node]) {
    if (node < 0 || tree.first[node] < 0 || Boolean(view.open[node]) === open) return false;
    view.open[node] = open ? 1 : 0;
    note(node);
    view.rows = visibleRows(tree, view.open);
    return true;
  }

  /** The deepest level that is unfolded now. */
  function deepest() {
    let level = 0;
    for (const node of view.rows) level = Math.max(level, tree.depth[node]);
    return level;
  }

  /** @returns {boolean} whether rows were unfolded for it */
  function select(node) {
    view.selected = node;
    const changed = node < 0 ? [] : reveal(tree, view.open, node);
    changed.forEach(note);
    if (changed.length > 0) view.rows = visibleRows(tree, view.open);
    return changed.length > 0;
  }

  /** @param {{from: number, to: number}|null} zoom ms; nothing is closer than a millionth of the trace */
  function setZoom(zoom) {
    const length = tree.length;
    const least = length * 1e-6;
    const from = Math.min(Math.max(zoom?.from ?? 0, 0), Math.max(length - least, 0));
    const to = Math.max(Math.min(zoom?.to ?? length, length), from + least);
    view.zoom = !zoom || !(to > from) || (from <= 0 && to >= length) ? null : {from, to};
  }

  function find(q) {
    view.q = q;
    view.pattern = matcher(q);
    const current = view.found[view.at];
    view.found = model.search.find(q);
    view.at = view.found.indexOf(current);
  }

  /** Go to the next match after the selected span, or the one before. @returns {number} its node, −1 without any */
  function step(way) {
    const from = view.at >= 0 && view.found[view.at] === view.selected ? view.found[view.at] : view.selected;
    view.at = nextMatch(tree, view.found, from, way);
    return view.at < 0 ? -1 : view.found[view.at];
  }

  const whole = () => ({from: 0, to: tree.length || 1});

  setLevel(view.level);
  return Object.assign(view, {
    setLevel,
    fold,
    deepest,
    select,
    setZoom,
    find,
    step,
    /** The node of the current match, −1 without one. */
    match: () => (view.at < 0 ? -1 : view.found[view.at]),
    /** What the tree shows. @returns {import('../paint/treerow.js').Scene} */
    scene: () => ({
      model,
      rows: view.rows,
      open: view.open,
      selected: view.selected,
      mode: view.mode,
      critical: view.critical,
      pattern: view.pattern,
      match: view.at < 0 ? -1 : view.found[view.at],
      view: view.zoom ?? whole(),
      gaps: view.short ? model.gaps : [],
    }),
    /** @param {typeof DEFAULTS} state as the address holds it */
    read(state) {
      const {level, single} = readFolds(tree, columns.id, state.fold);
      setLevel(level, single);
      view.tab = TABS.includes(state.tab) ? state.tab : 'messages';
      view.mode = state.mode === 'self' ? 'self' : 'total';
      view.short = state.gaps;
      view.critical = state.critical;
      setZoom(state.from === '' && state.to === '' ? null : {from: numberOr(state.from, 0), to: numberOr(state.to, tree.length)});
      find(state.q);
      select(model.nodeOf(state.span));
      view.at = view.found.indexOf(view.selected);
    },
    /** What the address shall hold. */
    write: () => ({
      span: model.idOf(view.selected) ?? '',
      tab: view.tab,
      from: view.zoom ? time(view.zoom.from) : '',
      to: view.zoom ? time(view.zoom.to) : '',
      mode: view.mode,
      fold: foldText(tree, columns.id, view.level, view.single),
      q: view.q.trim().slice(0, 300),
      gaps: view.short,
      critical: view.critical,
    }),
  });
}

const time = (ms) => String(Number(ms.toFixed(3)));

function numberOr(text, fallback) {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? value : fallback;
}
