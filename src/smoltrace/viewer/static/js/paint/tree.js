/**
 * The tree with its waterfall: a treegrid of any length with only the rows in sight in the document. Focus stays on
 * the grid, `aria-activedescendant` names the selected row, and the rows are written over while they scroll past.
 */
import {rowsWindow, scrollTopFor} from '../layout/rows.js';
import {timeAxis} from '../layout/timeaxis.js';
import {treeColumns} from '../layout/treecolumns.js';
import {BarCanvas} from './bars.js';
import {h, isPhone, onFrame, setStyle, uid} from './dom.js';
import {onInks} from './inks.js';
import {gapBands, treeHead} from './treehead.js';
import {makeRow, paintRow, paintState, tellTitle} from './treerow.js';

const ROW = 26;
const PHONE_ROW = 40;
const HEAD = 28;
const OVERSCAN = 6;
/** No more rows than this holds are painted, whatever the box around them says (px). */
const MOST_HEIGHT = 4_000;
/** Below these widths the tools above leave out their legend, then their switches (px). */
const NARROW = 780;
const TIGHT = 560;

/**
 * @typedef {object} Asked
 * @property {(node: number) => void} onSelect
 * @property {(node: number) => void} onFold
 * @property {(node: number) => void} onZoomTo
 * @property {(step: 1|-1) => void} onLevel
 */

export class SpanTree {
  /** @type {import('./treerow.js').Scene|null} */
  #scene = null;
  /** The columns and the time axis for the width there is. @type {any} */
  #place = null;
  #size = {width: 0, height: 0};
  /** Where the tree is scrolled to: to ask the element after a change would make the browser lay out at once. */
  #top = 0;
  /** A row to bring into sight as soon as there is a place for rows. */
  #wanted = -1;
  #drawn = {first: 0, last: 0, scale: 1};
  /** @type {import('./treerow.js').Row[]} */
  #slots = [];
  #stem = uid('row');
  #bars = new BarCanvas();

  /** @param {Asked} asked */
  constructor(asked) {
    this.asked = asked;
    this.head = treeHead(asked);
    this.bands = h('div', {class: 'tg-bands', 'aria-hidden': 'true'});
    this.body = h('div', {class: 'tg-body', role: 'rowgroup'});
    this.space = h('div', {class: 'tg-space', role: 'presentation'}, this.bands, this.body, this.#bars.el);
    this.el = h('div', {class: 'tg', role: 'treegrid', tabindex: '0', 'aria-label': 'Spans'}, h('div', {class: 'tg-head', role: 'rowgroup'}, this.head.el), this.space);
    this.#listen();
  }

  #listen() {
    const {el, asked} = this;
    new ResizeObserver(([entry]) => this.resized(entry.contentRect)).observe(el);
    onInks(onFrame(() => {
      this.#bars.forget();
      if (this.#place) this.#paintRows(true);
    }));
    const scrolled = onFrame(() => {
      this.#top = el.scrollTop;
      if (this.#place) this.#paintRows(false);
    });
    el.addEventListener('scroll', scrolled, {passive: true});
    el.addEventListener('click', (event) => {
      const node = this.#nodeAt(event);
      if (node < 0) return;
      const twist = /** @type {Element} */ (event.target).closest('.tr-twist');
      if (twist && this.#scene.model.tree.first[node] >= 0) asked.onFold(node);
      else asked.onSelect(node);
    });
    el.addEventListener('dblclick', (event) => {
      const node = this.#nodeAt(event);
      if (node >= 0 && !(/** @type {Element} */ (event.target).closest('.tr-twist'))) asked.onZoomTo(node);
    });
    el.addEventListener('mouseover', (event) => {
      const row = this.#rowAt(event);
      const cell = /** @type {Element} */ (event.target).closest('.tr-cell');
      if (row && cell) tellTitle(row, this.#scene, cell);
    });
  }

  #rowAt(event) {
    const box = /** @type {Element} */ (event.target).closest('.tr-row');
    return box && this.#scene ? this.#slots.find((slot) => slot.el === box) ?? null : null;
  }

  #nodeAt(event) {
    const row = this.#rowAt(event);
    return row ? this.#scene.rows[row.index] : -1;
  }

  /** @param {{width: number, height: number}} box px */
  resized({width, height: given}) {
    const height = Math.min(given, MOST_HEIGHT);
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = {width, height};
    this.#layOut();
  }

  #rowHeight() {
    return this.#place?.columns.phone ? PHONE_ROW : ROW;
  }

  #viewport() {
    return Math.max(this.#size.height - (this.#place?.columns.phone ? 0 : HEAD), 0);
  }

  #windowAt(scrollTop) {
    return rowsWindow({count: this.#scene.rows.length, rowHeight: this.#rowHeight(), scrollTop, viewport: this.#viewport(), overscan: OVERSCAN});
  }

  /** Rows have a fixed place in a ring: a row that stays in sight is not touched. @param {boolean} all every row has changed */
  #paintRows(all) {
    const seen = this.#windowAt(this.#top);
    const drawn = this.#drawn;
    const slots = this.#slots;
    const height = this.#rowHeight();
    const fresh = this.#enough(seen.last - seen.first) || all;
    const scaled = seen.scale !== 1 || drawn.scale !== 1;
    for (let index = seen.first; index < seen.last; index++) {
      const row = slots[index % slots.length];
      const stays = !fresh && index >= drawn.first && index < drawn.last;
      if (!stays) paintRow(row, this.#scene, index, this.#place.columns);
      if (!stays || scaled) row.el.style.transform = `translateY(${seen.offset + (index - seen.first) * height}px)`;
    }
    this.#hideUnused(seen);
    const moved = seen.first !== drawn.first || seen.last !== drawn.last;
    if (fresh || scaled || moved) this.#bars.paint(this.#scene, {...seen, most: slots.length, top: seen.offset, rowHeight: height}, this.#place);
    this.#drawn = seen;
    this.#tellActive();
  }

  /** @returns {boolean} whether rows were added: then each has another place in the ring */
  #enough(ring) {
    const before = this.#slots.length;
    while (this.#slots.length < ring) {
      const row = makeRow(`${this.#stem}-${this.#slots.length}`);
      this.#slots.push(row);
      this.body.appendChild(row.el);
    }
    return this.#slots.length > before;
  }

  #hideUnused(seen) {
    const count = this.#slots.length;
    for (let k = 0; k < count; k++) {
      const offset = (((k - seen.first) % count) + count) % count;
      const unused = offset >= seen.last - seen.first;
      if (this.#slots[k].el.hidden !== unused) this.#slots[k].el.hidden = unused;
    }
  }

  #tellActive() {
    const {first, last} = this.#drawn;
    const index = this.#scene.selected < 0 ? -1 : this.#rowOf(this.#scene.selected);
    if (index >= first && index < last) this.el.setAttribute('aria-activedescendant', this.#slots[index % this.#slots.length].el.id);
    else this.el.removeAttribute('aria-activedescendant');
  }

  /** The row of a node, −1 where it is folded away. Rows are ordered as the tree is. */
  #rowOf(node) {
    const {rows, model} = this.#scene;
    const {rank} = model.tree;
    let low = 0;
    let high = rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (rows[middle] === node) return middle;
      if (rank[rows[middle]] < rank[node]) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #layOut() {
    if (!this.#scene || this.#size.width === 0) return;
    const {width} = this.#size;
    const {model, view, gaps, rows} = this.#scene;
    const columns = treeColumns(width, {tokens: model.hasTokens, cost: model.hasCost, energy: model.hasEnergy, phone: isPhone()});
    const axis = timeAxis({...view, width: columns.bars, gaps});
    this.#place = {columns, axis};
    const {el} = this;
    const on = {'tg-phone': columns.phone, 'tg-narrow': width < NARROW, 'tg-tight': width < TIGHT};
    for (const name of ['tokens', 'cost', 'energy']) on[`no-${name}`] = !columns.phone && columns[name] === 0;
    for (const [name, is] of Object.entries(on)) el.classList.toggle(name, is);
    for (const name of ['name', 'tokens', 'cost', 'energy', 'bars']) el.style.setProperty(`--${name}`, `${columns[name]}px`);
    this.head.paint(axis, model.isElectricity);
    gapBands(this.bands, axis, columns.left);
    setStyle(this.space, {height: `${this.#windowAt(0).height}px`});
    el.setAttribute('aria-rowcount', String(rows.length + 1));
    this.#paintRows(true);
    if (this.#wanted >= 0) this.show(this.#wanted);
  }

  /** @param {import('./treerow.js').Scene} next  @param {{selection?: boolean}} [only] `selection`: nothing else has changed */
  update(next, only = {}) {
    this.#scene = next;
    if (!this.#place || !only.selection) return this.#layOut();
    const {first, last} = this.#drawn;
    for (let index = first; index < last; index++) paintState(this.#slots[index % this.#slots.length], next, next.rows[index], index);
    return this.#tellActive();
  }

  /** Bring a node's row into sight, with some rows around it where it was far. @param {number} node */
  show(node) {
    this.#wanted = this.#place ? -1 : node;
    const index = this.#place ? this.#rowOf(node) : -1;
    if (index < 0) return;
    const view = {count: this.#scene.rows.length, rowHeight: this.#rowHeight(), viewport: this.#viewport(), index};
    const least = scrollTopFor({...view, scrollTop: this.#top});
    if (least === this.#top) return;
    const far = Math.abs(least - this.#top) > 2 * view.rowHeight;
    this.el.scrollTop = far ? Math.max(0, least + (least < this.#top ? -1 : 1) * Math.floor(view.viewport / 3)) : least;
    this.#top = this.el.scrollTop;
    this.#paintRows(false);
  }

  /** Rows that fit into the view. */
  page() {
    return Math.max(1, Math.floor(this.#viewport() / this.#rowHeight()) - 1);
  }
}
