/**
 * The tree with its waterfall: a treegrid of any length with only the rows in sight in the document. Focus stays on
 * the grid, `aria-activedescendant` names the selected row, and the rows are painted over while they scroll past.
 */
import {rowsWindow, scrollTopFor} from '../layout/rows.js';
import {timeAxis} from '../layout/timeaxis.js';
import {treeColumns} from '../layout/treecolumns.js';
import {h, isPhone, onFrame, setStyle, uid} from './dom.js';
import {makeRow, paintRow, paintState, tellTitle} from './treerow.js';
import {gapBands, treeHead} from './treehead.js';
import {barCanvas} from './bars.js';

const ROW = 26;
const PHONE_ROW = 40;
const HEAD = 28;
const OVERSCAN = 6;

/**
 * @param {{onSelect: (node: number) => void, onFold: (node: number) => void, onZoomTo: (node: number) => void,
 *   onLevel: (step: 1|-1) => void}} asked
 */
export function spanTree(asked) {
  /** @type {import('./treerow.js').Scene|null} */
  let scene = null;
  let place = null;
  let size = {width: 0, height: 0};
  /** A row to bring into sight as soon as there is a place for rows. */
  let wanted = -1;
  let drawn = {first: 0, last: 0, scale: 1};
  /** @type {ReturnType<typeof makeRow>[]} */
  const slots = [];
  const stem = uid('row');
  const head = treeHead(asked);
  const bands = h('div', {class: 'tg-bands', 'aria-hidden': 'true'});
  const body = h('div', {class: 'tg-body', role: 'rowgroup'});
  const bars = barCanvas();
  const space = h('div', {class: 'tg-space', role: 'presentation'}, bands, body, bars.el);
  const el = h('div', {class: 'tg', role: 'treegrid', tabindex: '0', 'aria-label': 'Spans'}, h('div', {class: 'tg-head', role: 'rowgroup'}, head.el), space);

  const rowHeight = () => (place?.columns.phone ? PHONE_ROW : ROW);
  const headHeight = () => (place?.columns.phone ? 0 : HEAD);
  const windowAt = (scrollTop) =>
    rowsWindow({count: scene.rows.length, rowHeight: rowHeight(), scrollTop, viewport: Math.max(size.height - headHeight(), 0), overscan: OVERSCAN});

  /** Rows have a fixed place in a ring: a row that stays in sight is not touched. */
  function paintRows(all) {
    const seen = windowAt(el.scrollTop);
    const ring = seen.last - seen.first;
    while (slots.length < ring) {
      const row = makeRow(`${stem}-${slots.length}`);
      slots.push(row);
      body.appendChild(row.el);
      all = true;
    }
    const scaled = seen.scale !== 1 || drawn.scale !== 1;
    for (let index = seen.first; index < seen.last; index++) {
      const row = slots[index % slots.length];
      const stays = !all && index >= drawn.first && index < drawn.last;
      if (!stays) paintRow(row, scene, index, place.columns);
      if (!stays || scaled) row.el.style.transform = `translateY(${seen.offset + (index - seen.first) * rowHeight()}px)`;
    }
    hideUnused(seen);
    if (all || scaled || seen.first !== drawn.first || seen.last !== drawn.last) bars.paint(scene, {...seen, most: slots.length, top: seen.offset, rowHeight: rowHeight()}, place);
    drawn = seen;
    tellActive();
  }

  function hideUnused(seen) {
    for (let k = 0; k < slots.length; k++) {
      const offset = (((k - seen.first) % slots.length) + slots.length) % slots.length;
      const unused = offset >= seen.last - seen.first;
      if (slots[k].el.hidden !== unused) slots[k].el.hidden = unused;
    }
  }

  function tellActive() {
    const index = scene.selected < 0 ? -1 : rowOf(scene.selected);
    if (index >= drawn.first && index < drawn.last) el.setAttribute('aria-activedescendant', slots[index % slots.length].el.id);
    else el.removeAttribute('aria-activedescendant');
  }

  /** The row of a node, −1 where it is folded away. Rows are ordered as the tree is. */
  function rowOf(node) {
    const {rank} = scene.model.tree;
    let low = 0;
    let high = scene.rows.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (scene.rows[middle] === node) return middle;
      if (rank[scene.rows[middle]] < rank[node]) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  function layOut() {
    if (!scene || size.width === 0) return;
    const {model} = scene;
    const columns = treeColumns(size.width, {tokens: model.hasTokens, cost: model.hasCost, energy: model.hasEnergy, phone: isPhone()});
    const axis = timeAxis({from: scene.view.from, to: scene.view.to, width: columns.bars, gaps: scene.gaps});
    place = {columns, axis};
    el.classList.toggle('tg-phone', columns.phone);
    setStyle(el, {
      '--name': `${columns.name}px`,
      '--tokens': `${columns.tokens}px`,
      '--cost': `${columns.cost}px`,
      '--energy': `${columns.energy}px`,
      '--bars': `${columns.bars}px`,
    });
    for (const name of ['tokens', 'cost', 'energy']) el.classList.toggle(`no-${name}`, !columns.phone && columns[name] === 0);
    head.paint(axis);
    gapBands(bands, axis, columns.left);
    const {height} = windowAt(0);
    setStyle(space, {height: `${height}px`});
    el.setAttribute('aria-rowcount', String(scene.rows.length + 1));
    paintRows(true);
    if (wanted >= 0) show(wanted);
  }

  new ResizeObserver(([entry]) => {
    const {width} = entry.contentRect;
    // no more rows than a window holds, whatever the box around them says
    const height = Math.min(entry.contentRect.height, innerHeight);
    if (width === size.width && height === size.height) return;
    size = {width, height};
    layOut();
  }).observe(el);
  const repaint = onFrame(() => {
    bars.forget();
    if (scene && place) paintRows(true);
  });
  addEventListener('smoltrace:theme', repaint);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
  el.addEventListener('scroll', onFrame(() => scene && place && paintRows(false)), {passive: true});
  el.addEventListener('click', (event) => {
    const node = nodeAt(event);
    if (node < 0) return;
    const twist = /** @type {Element} */ (event.target).closest('.tr-twist');
    if (twist && scene.model.tree.first[node] >= 0) asked.onFold(node);
    else asked.onSelect(node);
  });
  el.addEventListener('dblclick', (event) => {
    const node = nodeAt(event);
    if (node >= 0 && !(/** @type {Element} */ (event.target).closest('.tr-twist'))) asked.onZoomTo(node);
  });

  el.addEventListener('mouseover', (event) => {
    const row = rowAt(event);
    const cell = /** @type {Element} */ (event.target).closest('.tr-cell');
    if (row && cell) tellTitle(row, scene, cell);
  });

  function rowAt(event) {
    const box = /** @type {Element} */ (event.target).closest('.tr-row');
    return box && scene ? slots.find((slot) => slot.el === box) ?? null : null;
  }

  function nodeAt(event) {
    const row = rowAt(event);
    return row ? scene.rows[row.index] : -1;
  }

  /** Bring a node's row into sight, with some rows around it where it was far. @param {number} node */
  function show(node) {
    wanted = place ? -1 : node;
    const index = scene && place ? rowOf(node) : -1;
    if (index < 0) return;
    const view = {count: scene.rows.length, rowHeight: rowHeight(), viewport: size.height - headHeight(), index};
    const top = scrollTopFor({...view, scrollTop: el.scrollTop});
    if (top === el.scrollTop) return;
    const near = Math.abs(top - el.scrollTop) <= 2 * rowHeight();
    el.scrollTop = near ? top : Math.max(0, top + (top < el.scrollTop ? -1 : 1) * Math.floor(view.viewport / 3));
    paintRows(false);
  }

  return {
    el,
    /** @param {import('./treerow.js').Scene} next  @param {{selection?: boolean}} [only] `selection`: nothing else has changed */
    update(next, only = {}) {
      scene = next;
      if (!place || !only.selection) return layOut();
      for (let index = drawn.first; index < drawn.last; index++) paintState(slots[index % slots.length], scene, scene.rows[index], index);
      tellActive();
    },
    show,
    rowOf: (node) => (scene ? rowOf(node) : -1),
    /** Rows that fit into the view. */
    page: () => Math.max(1, Math.floor((size.height - headHeight()) / rowHeight()) - 1),
  };
}
