/**
 * A table of any length with only the rows in sight in the document, and yet a real table to keyboards and readers.
 * It scrolls with the page, its head under the top bar; in a box of its own with `fill`, or where its columns do not fit.
 */
import {gridTemplate, tableWidth} from '../layout/columns.js';
import {rowsWindow, scrollTopFor} from '../layout/rows.js';
import {fill, h, onFrame, setProps, setStyle} from './dom.js';
import {headRow} from './virtualhead.js';
import {HANDLED, listen} from './virtualkeys.js';
import {buildRow} from './virtualrow.js';

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {string} [title] of the head; its name where the label is empty
 * @property {string|number} [width] px or fr
 * @property {number} [min] px of a column in fr
 * @property {'left'|'right'} [align]
 * @property {boolean} [sortable]
 * @property {() => import('./dom.js').Child} [head] instead of the label
 * @property {(row: any, index: number) => import('./dom.js').Child} cell
 * @property {string} [class]
 */

/**
 * @typedef {object} Options
 * @property {string} label
 * @property {Column[]} columns
 * @property {number} [rowHeight]
 * @property {number} [phoneRowHeight]
 * @property {number} count
 * @property {(index: number) => any} rowAt undefined: not here yet, `need` is asked for it
 * @property {(from: number, to: number) => void} [need] rows from…to−1 are in sight and missing; then `refresh()`
 * @property {(row: any) => string} [keyOf]
 * @property {string|null} [selected]
 * @property {(row: any, index: number, event: Event) => void} [onOpen]
 * @property {(key: string) => void} [onSort]
 * @property {string} [sort] `-key`
 * @property {Node} [empty]
 * @property {(row: any, index: number) => import('./dom.js').Child} [phone] a row as one cell of two lines
 * @property {'table'|'grid'|'treegrid'} [role]
 * @property {(row: any, index: number) => Object<string, any>} [rowProps]
 * @property {boolean} [fill] a box of its own in the rest of the screen
 * @property {(event: KeyboardEvent, row: any, index: number) => boolean|void} [onKey] asked first; true: done
 * @property {(first: number, last: number) => void} [onWindow] rows now in the document
 * @property {(row: any, index: number) => void} [onActive] a row got the focus
 */

const PHONE = '(max-width: 640px)';
const GUTTERS = 32;

/** @param {Options} given */
export function virtualTable(given) {
  /** @type {Options & {rowHeight: number, role: string, sort: string}} */
  const o = {rowHeight: 36, role: 'table', sort: '', ...given};
  const phoneQuery = matchMedia(PHONE);
  /** @type {Map<number, HTMLElement>} rows in the document by index */
  const rows = new Map();
  const head = h('thead', {role: 'rowgroup'});
  const body = h('tbody', {role: 'rowgroup'});
  const table = h('table', {role: o.role, 'aria-label': o.label}, head, body);
  const emptyBox = h('div', {class: 'vt-empty', hidden: true});
  const el = h('div', {class: ['vt', o.fill && 'vt-fill']}, table, emptyBox);
  let active = 0;
  let boxed = false;
  let narrow = false;
  /** @type {any} */
  let asking = null;
  let seen = {first: 0, last: 0, scale: 1};
  let nudge = {at: 0, by: 0};
  let lastTop = 0;

  const height = () => (narrow ? given.phoneRowHeight ?? o.phoneRowHeight ?? 50 : o.rowHeight);
  const ownBox = () => Boolean(o.fill) || boxed;

  /** Where the body stands against what is in sight; below 0 where the table begins further down. */
  function view() {
    if (ownBox()) {
      const headHeight = narrow ? 0 : head.offsetHeight;
      return {scrollTop: el.scrollTop, viewport: Math.max(el.clientHeight - headHeight, 0)};
    }
    const stick = topBar() + (narrow ? 0 : head.offsetHeight);
    const top = body.getBoundingClientRect().top;
    return {scrollTop: stick - top, viewport: Math.max(innerHeight - stick, 0)};
  }

  function topBar() {
    return parseFloat(getComputedStyle(el).getPropertyValue('--top')) || 0;
  }

  function render() {
    if (!el.isConnected) return;
    const {scrollTop, viewport} = view();
    if (Math.abs(scrollTop - nudge.at) > 1) nudge = {at: scrollTop, by: 0};
    // A long jump shows what is in sight first, and the rows around it a frame later.
    const far = Math.abs(scrollTop - lastTop) > viewport / 2;
    lastTop = scrollTop;
    if (far) onScroll();
    const win = rowsWindow({count: o.count, rowHeight: height(), scrollTop, viewport, overscan: far ? 1 : 8, nudge: nudge.by});
    const keep = focusedIndex();
    for (const [index, row] of rows) {
      if ((index < win.first || index >= win.last) && index !== keep) drop(index, row);
    }
    let missing = /** @type {number[]} */ ([]);
    let after = /** @type {Node|null} */ (null);
    for (let index = win.last - 1; index >= win.first; index -= 1) {
      let row = rows.get(index);
      if (!row) {
        row = buildRow(o, index, narrow);
        rows.set(index, row);
        body.insertBefore(row, after ?? followerOf(index));
      }
      if (row.classList.contains('vt-missing')) missing.push(index);
      after = row;
    }
    placeRows(win);
    const top = scrollTop * win.scale + nudge.by;
    const within = (/** @type {number} */ index) => Math.min(Math.max(index, 0), o.count);
    seen = {first: within(Math.floor(top / height())), last: within(Math.ceil((top + viewport) / height())), scale: win.scale};
    markActive();
    if (missing.length) ask(Math.min(...missing), Math.max(...missing) + 1);
    o.onWindow?.(win.first, win.last);
  }

  /** @param {import('../layout/rows.js').RowsWindow} win */
  function placeRows(win) {
    setStyle(body, {height: `${win.height}px`});
    for (const [index, row] of rows) {
      const top = `${win.offset + (index - win.first) * height()}px`;
      if (row.style.top !== top) row.style.top = top;
    }
  }

  /** The row that must come after a new one: only the focused row may lie outside the window. @param {number} index */
  function followerOf(index) {
    let best = /** @type {HTMLElement|null} */ (null);
    let least = Infinity;
    for (const [other, row] of rows) if (other > index && other < least) [least, best] = [other, row];
    return best;
  }

  /** @param {number} index @param {HTMLElement} row */
  function drop(index, row) {
    row.remove();
    rows.delete(index);
  }

  /** @param {number} from @param {number} to */
  function ask(from, to) {
    clearTimeout(asking);
    asking = setTimeout(() => o.need?.(from, to), 30);
  }

  function focusedIndex() {
    const row = document.activeElement?.closest?.('tr.vt-row');
    return row && body.contains(row) ? Number(row.getAttribute('data-index')) : -1;
  }

  /** One row is the tab stop: the active one, or the first in sight while that one is not in the document. */
  function markActive() {
    const stop = rows.has(active) ? active : Math.min(seen.first, o.count - 1);
    for (const [index, row] of rows) {
      const value = index === stop ? '0' : '-1';
      if (row.getAttribute('tabindex') !== value) row.setAttribute('tabindex', value);
    }
  }

  function layout() {
    if (!el.isConnected) return;
    const wasNarrow = narrow;
    narrow = Boolean(o.phone) && phoneQuery.matches;
    const least = tableWidth(o.columns) + GUTTERS;
    boxed = !narrow && least > el.clientWidth + 1;
    el.classList.toggle('vt-boxed', boxed && !o.fill);
    el.classList.toggle('vt-phone', narrow);
    setStyle(table, {'--vt-columns': narrow ? 'minmax(0, 1fr)' : gridTemplate(o.columns), '--vt-height': `${height()}px`, minWidth: boxed ? `${least}px` : null});
    if (wasNarrow !== narrow) clear();
    render();
  }

  function clear() {
    for (const [index, row] of rows) drop(index, row);
  }

  /** Paints every row in sight anew. */
  function refresh() {
    anew(render);
  }

  /** Rows are made anew: the focus stays in its row, and the page where it is, even where that row is out of sight. @param {() => void} paint */
  function anew(paint) {
    const controls = () => /** @type {HTMLElement[]} */ ([...(rows.get(active)?.querySelectorAll(HANDLED) ?? [])]);
    const index = focusedIndex();
    if (index >= 0) active = index;
    const control = index < 0 ? -1 : controls().indexOf(/** @type {any} */ (document.activeElement));
    clear();
    paint();
    if (index < 0 || !o.count) return;
    active = Math.min(index, o.count - 1);
    if (!rows.has(active)) {
      const row = buildRow(o, active, narrow);
      body.insertBefore(row, followerOf(active));
      rows.set(active, row);
    }
    (controls()[control] ?? rows.get(active))?.focus({preventScroll: true});
    render();
  }

  function paintHead() {
    setProps(table, {'aria-rowcount': String(o.count + 1), 'aria-colcount': String(o.columns.length), 'aria-label': o.label});
    const focusedKey = head.contains(document.activeElement) ? document.activeElement?.getAttribute('data-sort') : null;
    fill(head, headRow(o));
    if (focusedKey) /** @type {HTMLElement|null} */ (head.querySelector(`[data-sort="${CSS.escape(focusedKey)}"]`))?.focus({preventScroll: true});
    emptyBox.hidden = o.count > 0 || !o.empty;
    if (o.empty) fill(emptyBox, o.empty);
  }

  /** @param {Partial<Options>} patch */
  function update(patch) {
    Object.assign(o, patch);
    if (patch.count !== undefined) active = Math.min(active, Math.max(o.count - 1, 0));
    paintHead();
    anew(layout);
  }

  /** @param {number} index brings it in sight by the shortest way */
  function scrollTo(index) {
    const {scrollTop, viewport} = view();
    const wanted = scrollTopFor({count: o.count, rowHeight: height(), scrollTop, viewport, index});
    if (wanted !== scrollTop) {
      if (ownBox()) el.scrollTop = wanted;
      else scrollBy({top: wanted - scrollTop, behavior: 'instant'});
    }
    if (boxed && !o.fill) showBox(index, wanted);
    render();
    if (seen.scale !== 1) nudgeTo(index);
  }

  /** A box within the page may itself be out of sight. @param {number} index @param {number} scrollTop */
  function showBox(index, scrollTop) {
    const top = el.getBoundingClientRect().top + head.offsetHeight + index * height() - scrollTop;
    const above = topBar() + head.offsetHeight - top;
    const below = top + height() - innerHeight;
    if (above > 0) scrollBy({top: -above, behavior: 'instant'});
    else if (below > 0) scrollBy({top: below, behavior: 'instant'});
  }

  /** In a scaled table a px of scrolling is many px of rows: the rest of the way. @param {number} index */
  function nudgeTo(index) {
    const row = rows.get(index)?.getBoundingClientRect();
    const bottom = ownBox() ? el.getBoundingClientRect().bottom : innerHeight;
    if (!row) return;
    const above = head.getBoundingClientRect().bottom - row.top;
    const below = row.bottom - bottom;
    const by = above > 0 ? -above : Math.max(below, 0);
    if (!by) return;
    nudge = {at: view().scrollTop, by: nudge.by + by};
    render();
  }

  /** @param {number} index */
  function focus(index) {
    if (!o.count) return;
    active = Math.min(Math.max(index, 0), o.count - 1);
    scrollTo(active);
    rows.get(active)?.focus({preventScroll: true});
    markActive();
  }

  /** @param {number} delta from the active row; the first move goes to the first row in sight */
  function move(delta) {
    const from = focusedIndex();
    if (from >= 0) focus(from + delta);
    else focus(rows.has(active) && active >= seen.first && active < seen.last ? active : seen.first);
  }

  const onScroll = onFrame(render);
  const onPageScroll = () => ownBox() || onScroll();
  const onResize = onFrame(layout);
  el.addEventListener('scroll', onScroll, {passive: true});
  addEventListener('scroll', onPageScroll, {passive: true});
  addEventListener('resize', onResize);
  phoneQuery.addEventListener('change', onResize);
  listen({table, body, options: o, focus, sight: () => seen});
  body.addEventListener('focusin', () => {
    const index = focusedIndex();
    if (index < 0) return;
    active = index;
    markActive();
    o.onActive?.(o.rowAt(index), index);
  });
  new ResizeObserver(() => layout()).observe(el);
  paintHead();

  return {el, update, refresh, scrollTo, focus, move, range: () => ({first: seen.first, last: seen.last})};
}
