/** Choosing a window of time: by dragging over the strip, or by two handles that take the arrow keys. */

import {brushed, nudged} from '../layout/lanesbox.js';
import {duration} from '../model/format.js';
import {h, setStyle} from './dom.js';

const SIDES = ['Start of the time window', 'End of the time window'];

/**
 * @param {{onChange: (window: [number, number]|null, done: boolean) => void, onPoint: (x: number|null, y: number) => void,
 *   onClick: (x: number, y: number) => void}} asked `done` is false while the pointer is still down
 * @returns {{el: HTMLElement, update: (box: object, window: [number, number]|null) => void, busy: () => boolean}}
 */
export function timeBrush({onChange, onPoint, onClick}) {
  let box = null;
  let window = null;
  /** @type {{x: number, side: number|null, pointer: number, moved: boolean}|null} */
  let drag = null;
  const veils = [h('div', {class: 'brush-veil'}), h('div', {class: 'brush-veil'})];
  const handles = SIDES.map((label, side) => handle(label, side));
  const el = h('div', {class: 'brush', on: {pointerdown: press, pointermove: move, pointerup: release, pointercancel: cancel, pointerleave: leave}}, veils, handles);

  function handle(label, side) {
    return h('div', {
      class: ['brush-handle', side ? 'brush-end' : 'brush-start'],
      role: 'slider',
      tabindex: '0',
      'aria-label': label,
      'aria-orientation': 'horizontal',
      title: 'Drag, or use the arrow keys',
      on: {keydown: (event) => onKey(event, side)},
    });
  }

  const whole = () => window ?? [box.from, box.to];
  const isWhole = ([a, b]) => a <= box.from && b >= box.to;

  function onKey(event, side) {
    if (event.key === 'Escape' && window) {
      event.preventDefault();
      onChange(null, true);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = nudged(box, whole(), side, event.key, event.shiftKey);
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    onChange(isWhole(next) ? null : next, true);
  }

  function at(event) {
    const place = el.getBoundingClientRect();
    return [event.clientX - place.left, event.clientY - place.top];
  }

  function press(event) {
    if (event.button !== 0 || !box) return;
    const side = handles.indexOf(event.target);
    drag = {x: at(event)[0], side: side < 0 ? null : side, pointer: event.pointerId, moved: false};
    el.setPointerCapture(event.pointerId);
    if (side >= 0) handles[side].focus({preventScroll: true});
    event.preventDefault();
  }

  function windowTo(x) {
    if (drag.side === null) return brushed(box, drag.x, x);
    const pinned = box.scale.at(whole()[1 - drag.side]);
    return brushed(box, drag.side ? pinned : x, drag.side ? x : pinned) ?? window;
  }

  function move(event) {
    const [x, y] = at(event);
    if (drag) {
      const next = windowTo(x);
      if (next || drag.moved) {
        drag.moved = true;
        window = next ?? window;
        onChange(window, false);
      }
    }
    onPoint(x, y);
  }

  function release(event) {
    if (!drag) return;
    const [x, y] = at(event);
    const {moved, side} = drag;
    drag = null;
    el.releasePointerCapture(event.pointerId);
    if (moved) onChange(window && isWhole(window) ? null : window, true);
    else if (side === null) onClick(x, y);
  }

  function cancel() {
    if (drag?.moved) onChange(window, true);
    drag = null;
    onPoint(null, 0);
  }

  function leave() {
    if (!drag) onPoint(null, 0);
  }

  function update(next, chosen) {
    box = next;
    window = chosen;
    const [from, to] = whole().map((ms) => Math.min(Math.max(box.scale.at(ms), box.left), box.right));
    const bottom = box.axis.y;
    setStyle(el, {height: `${box.height}px`});
    setStyle(veils[0], {left: `${box.left}px`, width: `${from - box.left}px`, height: `${bottom}px`});
    setStyle(veils[1], {left: `${to}px`, width: `${box.right - to}px`, height: `${bottom}px`});
    [from, to].forEach((x, side) => place(handles[side], x, whole()[side]));
    el.classList.toggle('brush-on', Boolean(window));
  }

  function place(element, x, ms) {
    const middle = box.bands.y + box.bands.heights.height / 2;
    setStyle(element, {left: `${x}px`, height: `${box.axis.y}px`, '--grip': `${box.axis.y - middle - 7}px`});
    element.setAttribute('aria-valuemin', String(Math.round(box.from)));
    element.setAttribute('aria-valuemax', String(Math.round(box.to)));
    element.setAttribute('aria-valuenow', String(Math.round(ms)));
    element.setAttribute('aria-valuetext', duration(ms));
  }

  return {el, update, busy: () => drag !== null};
}
