/**
 * What the reader does with a trace. Every action changes the view, tells the parts that show it, and soon the address.
 *
 * @typedef {object} Parts
 * @property {(change: {selection?: boolean}) => void} tree  paints the tree
 * @property {(node: number) => void} show  brings a node's row into sight
 * @property {() => void} panel  paints the panel
 * @property {() => void} find  paints the find field
 * @property {() => void} zoom  paints the overview's window
 * @property {() => void} tools  paints the switches
 * @property {() => number} page  rows of a page
 */
import {nextError, nextStop} from '../model/tracemodel.js';

/** Browsers refuse more than some 100 changes of the address in half a minute. */
const ADDRESS_AFTER = 250;

/**
 * @param {import('../model/traceview.js').TraceView} view
 * @param {any} state the address
 * @param {Parts} parts
 */
export function traceControl(view, state, parts) {
  const {model} = view;
  const {tree} = model;
  let timer = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(flush, ADDRESS_AFTER);
  }

  function flush() {
    clearTimeout(timer);
    timer = 0;
    state.set(view.write());
  }

  function select(node) {
    if (node < 0) return;
    const unfolded = view.select(node);
    const marked = view.at;
    view.at = view.found.indexOf(node);
    parts.tree({selection: !unfolded && marked === view.at});
    parts.show(node);
    parts.panel();
    if (view.q) parts.find();
    later();
  }

  function rowOf(node) {
    return view.rows.indexOf(node);
  }

  function moveTo(row) {
    if (view.rows.length === 0) return;
    select(view.rows[Math.min(Math.max(row, 0), view.rows.length - 1)]);
  }

  function fold(node, open) {
    if (!view.fold(node, open)) return false;
    // a selected span that was folded away would leave the reader without a place
    if (view.selected >= 0 && rowOf(view.selected) < 0) select(node);
    parts.tree({});
    later();
    return true;
  }

  function zoom(next) {
    view.setZoom(next);
    parts.zoom();
    parts.tree({});
    parts.tools();
    later();
  }

  function change(patch) {
    Object.assign(view, patch);
    parts.tree({});
    parts.tools();
    parts.panel();
    later();
  }

  return {
    select,
    moveTo,
    move: (step) => moveTo(view.selected < 0 ? 0 : rowOf(view.selected) + step),
    movePage: (way) => moveTo(rowOf(view.selected) + way * parts.page()),
    toggle: (node) => fold(node, undefined),
    unfold() {
      if (!fold(view.selected, true) && view.selected >= 0 && tree.first[view.selected] >= 0) select(tree.first[view.selected]);
    },
    foldOrUp() {
      if (!fold(view.selected, false) && view.selected >= 0) select(tree.parent[view.selected]);
    },
    /** One level more or less of the whole tree. */
    level(step) {
      view.setLevel(view.deepest() + step);
      if (view.selected >= 0 && rowOf(view.selected) < 0) {
        let up = view.selected;
        while (up >= 0 && rowOf(up) < 0) up = tree.parent[up];
        view.selected = up;
        parts.panel();
      }
      parts.tree({});
      if (view.selected >= 0) parts.show(view.selected);
      later();
    },
    error: (step) => select(nextError(model, view.selected, step)),
    criticalStep(step) {
      if (!view.critical) change({critical: true});
      select(nextStop(model, view.selected, step));
    },
    toggleCritical: () => change({critical: !view.critical}),
    toggleMode: () => change({mode: view.mode === 'self' ? 'total' : 'self'}),
    setMode: (mode) => change({mode}),
    toggleGaps: () => change({short: !view.short}),
    zoom,
    zoomTo: (node) => node !== tree.orphans && zoom({from: tree.start[node], to: tree.end[node]}),
    fit() {
      const node = view.selected;
      if (view.zoom || node < 0 || node === tree.orphans) zoom(null);
      else zoom({from: tree.start[node], to: tree.end[node]});
    },
    find(q) {
      view.find(q);
      if (view.pattern && view.at < 0) view.at = view.found.indexOf(view.selected);
      parts.find();
      parts.tree({});
      parts.panel();
      later();
    },
    /** More can be searched now: the matches are counted again, nothing moves. */
    findAgain() {
      if (!view.q) return;
      view.find(view.q);
      if (view.at < 0) view.at = view.found.indexOf(view.selected);
      parts.find();
    },
    findStep(way) {
      const node = view.step(way);
      if (node < 0) return;
      parts.find();
      select(node);
    },
    tab(name) {
      view.tab = name;
      parts.panel();
      later();
    },
    close() {
      view.selected = -1;
      parts.tree({selection: true});
      parts.panel();
      later();
    },
    flush,
    /** Whether the address waits to be written. */
    waiting: () => timer !== 0,
  };
}
