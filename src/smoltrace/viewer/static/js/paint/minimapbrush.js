/** The window of the zoom: dragged with the pointer, moved by its handles' arrow keys. */
import {linear} from '../layout/coords.js';
import {dragged, gripAt} from '../layout/minimap.js';
import {duration} from '../model/format.js';
import {h, setStyle} from './dom.js';

const STEP = 0.01;
const LARGE_STEP = 0.1;
/** The handles come no closer than this part of the trace. */
const LEAST = 1e-6;
/** A pointer that moves less has only pressed (px). */
const MOVED = 3;

/** @typedef {{from: number, to: number}} View  ms */

export class ZoomBrush {
  #place = {width: 0, length: 0, view: /** @type {View|null} */ (null)};
  /** What the pointer holds. @type {{left: number, down: number, start: any, grip: any, moved: boolean}|null} */
  #hold = null;
  #before = h('div', {class: 'zb-veil'});
  #after = h('div', {class: 'zb-veil'});
  #pane = h('div', {class: 'zb-pane'});

  /** @param {{onZoom: (view: View|null, done: boolean) => void}} asked  `done` is false while the pointer is down */
  constructor({onZoom}) {
    this.onZoom = onZoom;
    this.handles = {from: this.#handle('from', 'Begin of the zoom'), to: this.#handle('to', 'End of the zoom')};
    const on = {
      pointerdown: (event) => this.#press(event),
      pointermove: (event) => this.#move(event),
      pointerup: () => this.#release(),
      pointercancel: () => this.#release(),
      dblclick: () => this.#tell(null, true),
    };
    this.el = h('div', {class: 'zb', on}, this.#before, this.#after, this.#pane, this.handles.from, this.handles.to);
  }

  /** @param {'from'|'to'} side */
  #handle(side, label) {
    const props = {class: `zb-handle zb-${side}`, role: 'slider', tabindex: '0', 'aria-label': label, 'aria-orientation': 'horizontal'};
    return h('div', {...props, on: {keydown: (event) => this.#onKey(side, event)}});
  }

  #scale() {
    return linear([0, this.#place.length || 1], [0, this.#place.width]);
  }

  #whole() {
    return this.#place.view ?? {from: 0, to: this.#place.length};
  }

  /** The window in px, null without one. */
  #window() {
    const {view} = this.#place;
    return view ? {x0: this.#scale().at(view.from), x1: this.#scale().at(view.to)} : null;
  }

  #tell(next, done) {
    const all = !next || (next.from <= 0 && next.to >= this.#place.length);
    this.onZoom(all ? null : next, done);
  }

  #onKey(side, event) {
    const {length, view} = this.#place;
    const step = (event.shiftKey ? LARGE_STEP : STEP) * length;
    const moves = {ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageUp: 10 * step, PageDown: -10 * step, Home: -Infinity, End: Infinity};
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && view) this.#tell(null, true);
    else if (event.key in moves) this.#tell(this.#nudged(side, moves[event.key]), true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #nudged(side, by) {
    const {length} = this.#place;
    const whole = this.#whole();
    const low = side === 'from' ? 0 : whole.from + LEAST * length;
    const high = side === 'from' ? whole.to - LEAST * length : length;
    return {...whole, [side]: Math.min(Math.max(whole[side] + by, low), high)};
  }

  #press(event) {
    const {width} = this.#place;
    if (event.button !== 0 || width === 0) return;
    const side = ['from', 'to'].find((name) => event.target === this.handles[name]);
    const {left} = this.el.getBoundingClientRect();
    const down = event.clientX - left;
    const start = this.#window() ?? (side ? {x0: 0, x1: width} : null);
    this.#hold = {left, down, start, grip: side ?? gripAt(start, down), moved: false};
    this.el.setPointerCapture(event.pointerId);
    if (side) this.handles[side].focus({preventScroll: true});
    event.preventDefault();
  }

  #move(event) {
    const hold = this.#hold;
    if (!hold) return this.#tellGrip(event);
    const x = event.clientX - hold.left;
    hold.moved ||= Math.abs(x - hold.down) >= MOVED;
    const next = dragged(hold.grip, hold.start, hold.down, x, this.#place.width);
    if (next && hold.moved) this.#tell({from: this.#scale().invert(next.x0), to: this.#scale().invert(next.x1)}, false);
    return undefined;
  }

  /** The pointer's shape says what it would take hold of. */
  #tellGrip(event) {
    const window = this.#window();
    const grip = window ? gripAt(window, event.clientX - this.el.getBoundingClientRect().left) : 'new';
    this.el.dataset.grip = grip === 'window' ? 'window' : grip === 'new' ? '' : 'edge';
  }

  /** A drag keeps what it has made; a press beside the window takes the zoom away. */
  #release() {
    const hold = this.#hold;
    this.#hold = null;
    if (hold?.moved) this.#tell(this.#place.view, true);
    else if (hold?.grip === 'new' && this.#place.view) this.#tell(null, true);
  }

  /** @param {{width: number, length: number, view: View|null}} next  px, ms */
  update(next) {
    this.#place = next;
    const {x0, x1} = this.#window() ?? {x0: 0, x1: next.width};
    this.el.classList.toggle('zb-on', Boolean(next.view));
    setStyle(this.#before, {left: '0', width: `${Math.max(x0, 0).toFixed(1)}px`});
    setStyle(this.#after, {left: `${x1.toFixed(1)}px`, width: `${Math.max(next.width - x1, 0).toFixed(1)}px`});
    setStyle(this.#pane, {left: `${x0.toFixed(1)}px`, width: `${Math.max(x1 - x0, 0).toFixed(1)}px`});
    const whole = this.#whole();
    for (const [side, x] of Object.entries({from: x0, to: x1})) {
      const handle = this.handles[side];
      setStyle(handle, {left: `${x.toFixed(1)}px`});
      handle.setAttribute('aria-valuemin', '0');
      handle.setAttribute('aria-valuemax', String(Math.round(next.length)));
      handle.setAttribute('aria-valuenow', String(Math.round(whole[side])));
      handle.setAttribute('aria-valuetext', duration(whole[side]) ?? '');
    }
  }
}
