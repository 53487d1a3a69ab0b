/** SVG elements, made as `h` makes HTML ones; and the few icons of the controls. */
import {append, setProps} from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Object<string, any>|null} [attributes] as for `h`
 * @param {...import('./dom.js').Child} children strings become text nodes
 * @returns {SVGElement}
 */
export function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  if (attributes) setProps(element, attributes);
  append(element, children);
  return element;
}

/** Paths in a 16 × 16 box, drawn as lines of 1.5. */
const LINES = {
  search: 'M7 2.75a4.25 4.25 0 1 0 0 8.5a4.25 4.25 0 1 0 0-8.5M10.2 10.2L14 14',
  close: 'M4 4l8 8M12 4l-8 8',
  down: 'M4.5 6.5L8 10l3.5-3.5',
  up: 'M4.5 9.5L8 6l3.5 3.5',
  right: 'M6.5 4.5L10 8l-3.5 3.5',
  left: 'M9.5 4.5L6 8l3.5 3.5',
  copy: 'M6 6h7.25v7.25H6zM3.5 10H2.75V2.75H10v.75',
  download: 'M8 2.5v7.5M4.75 7L8 10.25L11.25 7M2.75 13.25h10.5',
  tick: 'M3.5 8.5l3 3l6-7',
  cross: 'M4.25 4.25l7.5 7.5M11.75 4.25l-7.5 7.5',
  pin: 'M5.5 2.5h5M6.25 2.5v4.75L4.5 9.5h7L9.75 7.25V2.5M8 9.5v4.25',
  plus: 'M8 3.5v9M3.5 8h9',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  filter: 'M2.5 4h11M4.5 8h7M6.5 12h3',
};

/**
 * A drawing without a name of its own: the control that holds it must have one.
 * @param {keyof typeof LINES | 'theme' | 'brand'} name
 * @param {number} [size] px
 */
export function icon(name, size = 16) {
  const box = {viewBox: '0 0 16 16', width: size, height: size, class: `icon icon-${name}`, 'aria-hidden': 'true', focusable: 'false'};
  if (name === 'theme') {
    return s('svg', box, s('circle', {cx: 8, cy: 8, r: 5.75, class: 'icon-line'}), s('path', {d: 'M8 2.25a5.75 5.75 0 0 1 0 11.5z', class: 'icon-fill'}));
  }
  if (name === 'brand') {
    const bars = [[1, 2.5, 7], [4, 6.75, 7], [7, 11, 8]].map(([x, y, width]) => s('rect', {x, y, width, height: 2.5, class: 'icon-fill'}));
    return s('svg', box, bars);
  }
  return s('svg', box, s('path', {d: LINES[name], class: 'icon-line'}));
}
