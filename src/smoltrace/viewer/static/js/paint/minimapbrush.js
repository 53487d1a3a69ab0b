/** The window of the zoom: dragged with the pointer, moved by its handles' arrow keys. */
import {linear} from '../layout/coords.js';
import {dragged, gripAt} from '../layout/minimap.js';
import {duration} from '../model/format.js';
import {h, setStyle} from './dom.js';

const STEP = 0.01;
const LARGE_STEP = 0.1;
/** No zoom is closer than a millionth of the trace: below, times lose their digits. */
const LEAST = 1e-6;

/**
 * @param {{onZoom: (view: {from: number, to: number}|null, done: boolean) => void}} asked
 */
export function zoomBrush({onZoom}) {
  let place = {width: 0, length: 0, view: null};
  let hold = null;
  const before = h('div', {class: 'zb-veil'});
  const after = h('div', {class: 'zb-veil'});
  const pane = h('div', {class: 'zb-pane'});
  const handle = (side, label) =>
    h('div', {class: `zb-handle zb-${side}`, role: 'slider', tabindex: '0', 'aria-label': label, 'aria-orientation': 'horizontal', on: {keydown: (event) => onKey(side, event)}});
  const handles = {from: handle('from', 'Begin of the zoom'), to: handle('to', 'End of the zoom')};
  const el = h('div', {class: 'zb'}, before, after, pane, handles.from, handles.to);

  const scale = () => linear([0, place.length || 1], [0, place.width]);
  const whole = () => place.view ?? {from: 0, to: place.length};
  const brush = () => (place.view ? {x0: scale().at(place.view.from), x1: scale().at(place.view.to)} : null);

  function tell(next, done) {
    const all = !next || (next.from <= 0 && next.to >= place.length);
    onZoom(all ? null : next, done);
  }

  function onKey(side, event) {
    const view = whole();
    const step = (event.shiftKey ? LARGE_STEP : STEP) * place.length;
    const moves = {ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageUp: 10 * step, PageDown: -10 * step, Home: -Infinity, End: Infinity};
    if (event.key === 'Escape' && place.view) tell(null, true);
    else if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    else {
      const least = LEAST * place.length;
      const low = side === 'from' ? 0 : view.from + least;
      const high = side === 'from' ? view.to - least : place.length;
      tell({...view, [side]: Math.min(Math.max(view[side] + moves[event.key], low), high)}, true);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  function xOf(event) {
    return event.clientX - hold.left;
  }

  el.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || place.width === 0) return;
    const side = event.target === handles.from ? 'from' : event.target === handles.to ? 'to' : null;
    const left = el.getBoundingClientRect().left;
    const down = event.clientX - left;
    const start = brush() ?? (side ? {x0: 0, x1: place.width} : null);
    hold = {left, down, start, grip: side ?? gripAt(start, down), moved: false};
    el.setPointerCapture(event.pointerId);
    if (side) handles[side].focus({preventScroll: true});
    event.preventDefault();
  });
  el.addEventListener('pointermove', (event) => {
    if (!hold) {
      const grip = place.view ? gripAt(brush(), event.clientX - el.getBoundingClientRect().left) : 'new';
      el.dataset.grip = grip === 'window' ? 'window' : grip === 'new' ? '' : 'edge';
      return;
    }
    const next = dragged(hold.grip, hold.start, hold.down, xOf(event), place.width);
    hold.moved ||= Math.abs(xOf(event) - hold.down) >= 3;
    if (next && hold.moved) tell({from: scale().invert(next.x0), to: scale().invert(next.x1)}, false);
  });
  const release = () => {
    if (!hold) return;
    const {moved, grip} = hold;
    hold = null;
    // a press beside the window takes the zoom away, a drag keeps what it has made
    if (moved) tell(place.view, true);
    else if (grip === 'new' && place.view) tell(null, true);
  };
  el.addEventListener('pointerup', release);
  el.addEventListener('pointercancel', release);
  el.addEventListener('dblclick', () => tell(null, true));

  return {
    el,
    /** @param {{width: number, length: number, view: {from: number, to: number}|null}} next  px, ms */
    update(next) {
      place = next;
      const {x0, x1} = brush() ?? {x0: 0, x1: place.width};
      el.classList.toggle('zb-on', Boolean(place.view));
      setStyle(before, {left: '0', width: `${Math.max(x0, 0).toFixed(1)}px`});
      setStyle(after, {left: `${x1.toFixed(1)}px`, width: `${Math.max(place.width - x1, 0).toFixed(1)}px`});
      setStyle(pane, {left: `${x0.toFixed(1)}px`, width: `${Math.max(x1 - x0, 0).toFixed(1)}px`});
      for (const [side, x] of [['from', x0], ['to', x1]]) {
        setStyle(handles[side], {left: `${x.toFixed(1)}px`});
        handles[side].setAttribute('aria-valuemin', '0');
        handles[side].setAttribute('aria-valuemax', String(Math.round(place.length)));
        handles[side].setAttribute('aria-valuenow', String(Math.round(whole()[side])));
        handles[side].setAttribute('aria-valuetext', duration(whole()[side]) ?? '');
      }
    },
  };
}
