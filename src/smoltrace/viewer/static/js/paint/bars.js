/**
 * The bars of the rows in sight, on one canvas that scrolls with them: hundreds of elements would have to be styled and
 * laid out anew for each step of a fast scroll.
 */
import {criticalPieces} from '../model/critical.js';
import {selfPieces} from '../model/selftime.js';
import {durationWords} from '../model/spanwords.js';
import {BARS} from '../layout/kindmark.js';
import {barOf, stretches} from '../layout/waterfall.js';
import {h} from './dom.js';
import {inks} from './inks.js';

const ARROW = 6;
const ERROR_WIDTH = 3;
const CRITICAL = 2;
const PALE = 0.3;
const LABEL = 11;
/** Arrows and labels may reach so far beyond the axis. */
const MARGIN = 8;
const KIND_COLOURS = {agent: '--k-agent', step: '--k-step', chat: '--k-chat', tool: '--k-tool', other: '--ctl', orphans: '--ctl'};

export class BarCanvas {
  el = /** @type {HTMLCanvasElement} */ (h('canvas', {class: 'tg-bars', 'aria-hidden': 'true'}));
  #pen = this.el.getContext('2d');
  #size = '';
  /** @type {Object<string, any>|null} */
  #ink = null;

  /** The theme has changed. */
  forget() {
    this.#ink = null;
  }

  /**
   * @param {import('./treerow.js').Scene} scene
   * @param {{first: number, last: number, most: number, top: number, rowHeight: number}} rows  those in sight, how many at most,
   *   and where the first stands (px)
   * @param {{axis: import('../layout/timeaxis.js').TimeAxis, columns: any}} place
   */
  paint(scene, rows, place) {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
    const width = place.axis.width + 2 * MARGIN;
    // as tall as it ever needs to be: a canvas that changes its size is made anew
    const height = rows.most * rows.rowHeight;
    this.#fit(width, height, ratio);
    this.el.style.transform = `translate(${place.columns.left - MARGIN}px, ${rows.top}px)`;
    const pen = this.#pen;
    if (!pen) return;
    const ink = (this.#ink ??= {...inks(), font: `${LABEL}px ${inks().font}`, hatch: hatch(pen, inks()['--ctl'])});
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = ink.font;
    pen.textBaseline = 'middle';
    for (let index = rows.first; index < rows.last; index++) {
      pen.setTransform(ratio, 0, 0, ratio, MARGIN * ratio, (index - rows.first) * rows.rowHeight * ratio);
      paintBar(pen, ink, scene, scene.rows[index], place);
    }
  }

  #fit(width, height, ratio) {
    const size = `${width} ${height} ${ratio}`;
    if (size === this.#size) return;
    this.#size = size;
    this.el.width = Math.ceil(width * ratio);
    this.el.height = Math.ceil(height * ratio);
    this.el.style.width = `${width}px`;
    this.el.style.height = `${height}px`;
  }
}

function hatch(pen, colour) {
  const tile = h('canvas', {width: 10, height: 10});
  const brush = /** @type {HTMLCanvasElement} */ (tile).getContext('2d');
  if (!brush || !pen) return colour;
  brush.strokeStyle = colour;
  brush.lineWidth = 1.4;
  for (const x of [-10, -5, 0, 5, 10]) {
    brush.beginPath();
    brush.moveTo(x, 10);
    brush.lineTo(x + 10, 0);
    brush.stroke();
  }
  return pen.createPattern(tile, 'repeat') ?? colour;
}

function paintBar(pen, ink, scene, node, {axis, columns}) {
  const {model, mode} = scene;
  const {tree} = model;
  const kind = model.kindOf(node);
  const self = mode === 'self' && node !== tree.orphans;
  const bar = barOf(axis, tree.start[node], tree.end[node], durationWords(model, node, self));
  const middle = columns.phone ? 29 : 12;
  const height = columns.phone ? Math.min(BARS[kind].height, 7) : BARS[kind].height;
  if (columns.phone) paintTrack(pen, ink, axis, middle);
  if (bar.place === 'in') {
    paintShape(pen, ink, {scene, node, kind, bar, axis, self, y: middle - height / 2, height});
    paintCritical(pen, ink, scene, node, axis, middle + (columns.phone ? 5 : 8));
  }
  if (!columns.phone) paintLabel(pen, ink, bar, tree.failed[node] === 1);
}

function paintTrack(pen, ink, axis, middle) {
  pen.fillStyle = ink['--line2'];
  pen.globalAlpha = 0.6;
  pen.fillRect(0, middle, axis.width, 1);
  pen.globalAlpha = 1;
}

function paintShape(pen, ink, {scene, node, kind, bar, axis, self, y, height}) {
  const {tree} = scene.model;
  const {outlined} = BARS[kind];
  const hatched = tree.open[node] === 1 || node === tree.orphans;
  const own = self && !hatched && tree.first[node] >= 0 ? stretches(axis, selfPieces(tree, node), 0.75) : null;
  pen.fillStyle = pen.strokeStyle = ink[KIND_COLOURS[kind]];
  pen.globalAlpha = own ? PALE : 1;
  if (hatched) hatchedBoxes(pen, ink, bar.solid, y, height);
  else if (outlined) outlines(pen, bar.solid, y, height);
  else boxes(pen, bar.solid, y, height);
  pen.globalAlpha = 1;
  if (own) boxes(pen, own, y, height);
  dots(pen, bar.dotted, y + height / 2);
  arrows(pen, bar, y + height / 2, height);
  if (tree.failed[node] && !bar.cutLeft) {
    pen.fillStyle = ink['--fail-fill'];
    pen.fillRect(bar.x0, y, Math.min(ERROR_WIDTH, bar.x1 - bar.x0), height);
  }
}

function boxes(pen, pieces, y, height) {
  for (const [x0, x1] of pieces) pen.fillRect(x0, y, x1 - x0, height);
}

/** Lines of 1.25 px that stay within their boxes. */
function outlines(pen, pieces, y, height) {
  pen.lineWidth = 1.25;
  for (const [x0, x1] of pieces) {
    if (x1 - x0 < 3.5) pen.fillRect(x0, y, x1 - x0, height);
    else pen.strokeRect(x0 + 0.625, y + 0.625, x1 - x0 - 1.25, height - 1.25);
  }
}

function hatchedBoxes(pen, ink, pieces, y, height) {
  pen.fillStyle = ink.hatch;
  boxes(pen, pieces, y, height);
  pen.lineWidth = 1;
  for (const [x0, x1] of pieces) if (x1 - x0 > 3) pen.strokeRect(x0 + 0.5, y + 0.5, x1 - x0 - 1, height - 1);
  pen.fillStyle = pen.strokeStyle;
}

function dots(pen, pieces, middle) {
  for (const [x0, x1] of pieces) for (let x = x0 + 1.5; x < x1 - 1; x += 5) pen.fillRect(x, middle - 1, 2, 2);
}

/** A bar that goes on beyond the view ends in an arrow. */
function arrows(pen, bar, middle, height) {
  const half = Math.max(height / 2 + 1.5, 4);
  for (const [cut, x, way] of [[bar.cutRight, bar.x1, ARROW], [bar.cutLeft, bar.x0, -ARROW]]) {
    if (!cut) continue;
    pen.beginPath();
    pen.moveTo(x, middle - half);
    pen.lineTo(x + way, middle);
    pen.lineTo(x, middle + half);
    pen.fill();
  }
}

/** What a row holds of the critical path: its own pieces, folded all of its subtree's. Never too short to be seen. */
function paintCritical(pen, ink, scene, node, axis, y) {
  const {tree} = scene.model;
  if (!scene.critical || node === tree.orphans) return;
  const folded = tree.first[node] >= 0 && !scene.open[node];
  // what a span that holds others spends between them are specks: they would say nothing
  const least = tree.first[node] >= 0 && !folded ? 3 : 0.01;
  pen.fillStyle = ink['--tx'];
  for (const [x0, x1] of stretches(axis, criticalPieces(scene.model.critical(), node, folded), least)) {
    const wide = Math.max(x1 - x0, 2);
    pen.fillRect(Math.min(x0, axis.width - wide), y, wide, CRITICAL);
  }
}

function paintLabel(pen, ink, bar, failed) {
  const {label} = bar;
  if (!label) return;
  pen.textAlign = label.anchor === 'start' ? 'left' : 'right';
  pen.fillStyle = failed ? ink['--fail'] : ink['--tx3'];
  pen.fillText(bar.place === 'before' ? `‹ ${label.text}` : bar.place === 'after' ? `${label.text} ›` : label.text, label.x, 12.5);
}
