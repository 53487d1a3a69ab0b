/**
 * What the reader does with a trace. Every action changes the view, tells the parts that show it, and soon the address.
 *
 * @typedef {object} Painters
 * @property {(change: {selection?: boolean}) => void} tree
 * @property {(node: number) => void} show  brings a node's row into sight
 * @property {() => void} panel
 * @property {() => void} find  the find field
 * @property {() => void} zoom  the overview's window
 * @property {() => void} tools  the switches
 * @property {() => number} page  rows of a page
 */
import {nextError, nextStop} from '../model/tracemodel.js';

/** Browsers refuse more than some 100 changes of the address in half a minute. */
const ADDRESS_AFTER = 250;

export class TraceControl {
  #timer = 0;

  /**
   * @param {import('../model/traceview.js').TraceView} view
   * @param {any} state the address
   * @param {Painters} paint
   */
  constructor(view, state, paint) {
    this.view = view;
    this.model = view.model;
    this.tree = view.tree;
    this.state = state;
    this.paint = paint;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), ADDRESS_AFTER);
  }

  /** Writes the address now, where it waits to be written. */
  flush() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.state.set(this.view.write());
  }

  select(node) {
    if (node < 0) return;
    const {view, paint} = this;
    const unfolded = view.select(node);
    const before = view.at;
    view.at = view.found.indexOf(node);
    paint.tree({selection: !unfolded && before === view.at});
    paint.show(node);
    paint.panel();
    if (view.q) paint.find();
    this.#later();
  }

  #rowOf(node) {
    return this.view.rows.indexOf(node);
  }

  moveTo(row) {
    const {rows} = this.view;
    if (rows.length > 0) this.select(rows[Math.min(Math.max(row, 0), rows.length - 1)]);
  }

  move(step) {
    this.moveTo(this.view.selected < 0 ? 0 : this.#rowOf(this.view.selected) + step);
  }

  movePage(way) {
    this.moveTo(this.#rowOf(this.view.selected) + way * this.paint.page());
  }

  /** @param {number} node  @param {boolean} [open] @returns {boolean} whether anything changed */
  fold(node, open) {
    const {view} = this;
    if (!view.fold(node, open)) return false;
    // a selected span that was folded away would leave the reader without a place
    if (view.selected >= 0 && this.#rowOf(view.selected) < 0) this.select(node);
    this.paint.tree({});
    this.#later();
    return true;
  }

  unfold() {
    const {selected} = this.view;
    if (!this.fold(selected, true) && selected >= 0) this.select(this.tree.first[selected]);
  }

  foldOrUp() {
    const {selected} = this.view;
    if (!this.fold(selected, false) && selected >= 0) this.select(this.tree.parent[selected]);
  }

  /** One level more or less of the whole tree. @param {1|-1} step */
  level(step) {
    const {view, paint} = this;
    view.setLevel(view.deepest() + step);
    while (view.selected >= 0 && this.#rowOf(view.selected) < 0) view.selected = this.tree.parent[view.selected];
    paint.tree({});
    paint.panel();
    if (view.selected >= 0) paint.show(view.selected);
    this.#later();
  }

  error(step) {
    this.select(nextError(this.model, this.view.selected, step));
  }

  criticalStep(step) {
    if (!this.view.critical) this.#change({critical: true});
    this.select(nextStop(this.model, this.view.selected, step));
  }

  #change(patch) {
    Object.assign(this.view, patch);
    this.paint.tree({});
    this.paint.tools();
    this.paint.panel();
    this.#later();
  }

  toggleCritical() {
    this.#change({critical: !this.view.critical});
  }

  toggleMode() {
    this.setMode(this.view.mode === 'self' ? 'total' : 'self');
  }

  setMode(mode) {
    this.#change({mode});
  }

  toggleGaps() {
    this.#change({short: !this.view.short});
  }

  zoom(next) {
    this.view.setZoom(next);
    this.paint.zoom();
    this.paint.tree({});
    this.paint.tools();
    this.#later();
  }

  zoomTo(node) {
    if (node >= 0 && node !== this.tree.orphans) this.zoom({from: this.tree.start[node], to: this.tree.end[node]});
  }

  /** The whole trace; where that is shown already, the selected span. */
  fit() {
    if (this.view.zoom || this.view.selected < 0) this.zoom(null);
    else this.zoomTo(this.view.selected);
  }

  find(q) {
    const {view, paint} = this;
    view.find(q);
    if (view.at < 0) view.at = view.found.indexOf(view.selected);
    paint.find();
    paint.tree({});
    paint.panel();
    this.#later();
  }

  /** More can be searched now: the matches are counted again, nothing moves. */
  findAgain() {
    const {view} = this;
    if (!view.q) return;
    view.find(view.q);
    if (view.at < 0) view.at = view.found.indexOf(view.selected);
    this.paint.find();
  }

  findStep(way) {
    const node = this.view.step(way);
    if (node < 0) return;
    this.paint.find();
    this.select(node);
  }

  tab(name) {
    this.view.tab = name;
    this.paint.panel();
    this.#later();
  }

  /** No span is selected any more. */
  close() {
    this.view.selected = -1;
    this.paint.tree({selection: true});
    this.paint.panel();
    this.#later();
  }
}
