/** One line through all lanes at a moment, what each lane shows there, and the moment with the test that ran. */

import {centredX, laneY, tagX} from '../layout/lanesbox.js';
import {fill, h, setStyle} from './dom.js';

/** Px of a tag's text at its size; a tag is placed before it is painted, so that nothing is measured. */
const CHARACTER = 6.7;
const TAG_PADDING = 14;

/**
 * @returns {{el: HTMLElement, show: (box: object, x: number, marks: {place: {y: number, height: number}, value: number, top: number|null, text: string}[], foot: string) => void, hide: () => void}}
 */
export function crosshair() {
  const line = h('div', {class: 'cross-line'});
  const marks = h('div', null);
  const foot = h('div', {class: 'cross-tag cross-foot'});
  const el = h('div', {class: 'cross', hidden: true, 'aria-hidden': 'true'}, line, marks, foot);

  function show(box, x, values, text) {
    el.hidden = false;
    setStyle(line, {left: `${x}px`, height: `${box.axis.y}px`});
    fill(marks, values.map((value) => mark(box, x, value)));
    const width = text.length * CHARACTER + TAG_PADDING;
    setStyle(foot, {left: `${centredX(box, x, width)}px`, width: `${width}px`, top: `${box.axis.y + 2}px`});
    fill(foot, text);
  }

  return {el, show, hide: () => (el.hidden = true)};
}

function mark(box, x, {place, value, top, text}) {
  const y = laneY(place, value, top);
  const width = text.length * CHARACTER + TAG_PADDING;
  const tagY = Math.min(Math.max(y - 9, place.y), place.y + place.height - 18);
  return [
    h('div', {class: 'cross-dot', style: {left: `${x}px`, top: `${y}px`}}),
    h('div', {class: 'cross-tag', style: {left: `${tagX(box, x, width)}px`, width: `${width}px`, top: `${tagY}px`}}, text),
  ];
}
