/** The head of the tree: names of the columns, the time axis, and the lengths of the gaps that are drawn short. */
import {axisTicks, gapColumns} from '../layout/timeaxis.js';
import {fill, h, setStyle} from './dom.js';
import {icon} from './svg.js';

/**
 * @param {{onLevel: (step: 1|-1) => void}} asked
 */
export function treeHead({onLevel}) {
  const axis = h('div', {class: 'th-axis'});
  const level = (step, name, label) => h('button', {type: 'button', class: 'icon-button th-level', 'aria-label': label, title: label, on: {click: () => onLevel(step)}}, icon(name, 14));
  const head = (name, ...children) => h('div', {class: `tr-cell tr-${name}`, role: 'columnheader'}, ...children);
  const estimated = h('i', {class: 'est', title: 'the electricity used, estimated', hidden: true}, 'est.');
  const cost = head('cost', '$ ', estimated);
  const el = h(
    'div',
    {class: 'tr th', role: 'row', 'aria-rowindex': '1'},
    head('first', h('span', {class: 'th-span'}, 'Span'), level(-1, 'up', 'Fold a level'), level(1, 'down', 'Unfold a level')),
    head('tokens', 'Tok in / out'),
    cost,
    head('energy', 'Wh'),
    head('time', h('span', {class: 'sr'}, 'Time'), axis),
  );
  return {
    el,
    /** @param {import('../layout/timeaxis.js').TimeAxis} scale  @param {boolean} isElectricity what the column of costs says */
    paint(scale, isElectricity) {
      estimated.hidden = !isElectricity;
      const ticks = axisTicks(scale).map((tick) => h('span', {class: `th-tick th-${tick.anchor}`, style: {left: `${tick.x.toFixed(1)}px`}}, tick.label));
      const gaps = gapColumns(scale).map((gap) =>
        h('span', {class: 'th-gap', style: {left: `${gap.x0.toFixed(1)}px`, width: `${(gap.x1 - gap.x0).toFixed(1)}px`}}, h('span', null, gap.label), h('span', null, 'idle')),
      );
      fill(axis, ticks, gaps);
    },
  };
}

/** The columns of short gaps behind the rows. */
export function gapBands(box, scale, left) {
  const bands = gapColumns(scale).map((gap) => {
    const el = h('div', {class: 'tg-gap'});
    setStyle(el, {left: `${(left + gap.x0).toFixed(1)}px`, width: `${(gap.x1 - gap.x0).toFixed(1)}px`});
    return el;
  });
  fill(box, bands);
}
