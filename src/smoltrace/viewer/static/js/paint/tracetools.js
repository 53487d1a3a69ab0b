/** The tools over the tree: find, self or total, what the marks mean, switches, next error. */
import {h} from './dom.js';
import {icon} from './svg.js';
import {kindMark} from './kind.js';
import {menu} from './menu.js';

/**
 * @param {HTMLElement} find
 * @param {{onMode: (mode: 'total'|'self') => void, onCritical: () => void, onGaps: () => void, onError: () => void, onFit: () => void, onLevel: (step: 1|-1) => void,
 *   more?: () => import('./menu.js').Item[]}} asked  `more`: further rows of the menu
 */
export function traceTools(find, asked) {
  let shown = {mode: 'total', critical: true, short: true, zoomed: false, gaps: false, errors: 0};
  const mode = (name, label, title) => h('button', {type: 'button', 'data-mode': name, title, on: {click: () => asked.onMode(name)}}, label);
  const modes = h('div', {class: 'segment', role: 'group', 'aria-label': 'Figures'}, mode('self', 'Self', 'what each span used itself'), mode('total', 'Total', 'what each span used with all that is in it'));
  const legend = h('div', {class: 'legend'}, ['agent', 'step', 'chat', 'tool'].map((kind) => h('span', {class: 'legend-kind'}, kindMark(kind), kind)));
  const why = 'What would have to be faster for the trace to end earlier (C)';
  const line = h('span', {class: 'switch-line', 'aria-hidden': 'true'});
  const critical = h('button', {type: 'button', class: 'switch', title: why, on: {click: asked.onCritical}}, line, 'critical path');
  const fit = h('button', {type: 'button', class: 'button tools-fit', title: 'Show the whole trace (z)', on: {click: asked.onFit}}, 'Fit', h('kbd', {'aria-hidden': 'true'}, 'z'));
  const error = h('button', {type: 'button', class: 'button', on: {click: asked.onError}}, 'Next error', h('kbd', {'aria-hidden': 'true'}, 'e'));
  const more = h('button', {type: 'button', class: 'button tools-more', 'aria-label': 'View'}, icon('more'));
  menu(more, items, {label: 'View'});
  const el = h('div', {class: 'trace-tools'}, find, modes, legend, critical, h('div', {class: 'tools-end'}, fit, error, more));

  function items() {
    const rows = [
      {label: 'Total, with all that is in a span', checked: shown.mode === 'total', run: () => asked.onMode(shown.mode === 'total' ? 'self' : 'total')},
      {label: 'Critical path', checked: shown.critical, run: asked.onCritical},
      {label: 'Unfold a level', run: () => asked.onLevel(1)},
      {label: 'Fold a level', run: () => asked.onLevel(-1)},
    ];
    if (shown.zoomed) rows.push({label: 'Show the whole trace', run: asked.onFit});
    if (shown.gaps) rows.splice(2, 0, {label: 'Idle gaps short', checked: shown.short, run: asked.onGaps});
    return [...rows, ...(asked.more?.() ?? [])];
  }

  return {
    el,
    /** @param {{mode: string, critical: boolean, short: boolean, zoomed: boolean, gaps: boolean, errors: number}} next */
    show(next) {
      shown = next;
      for (const button of modes.children) button.setAttribute('aria-pressed', String(button.dataset.mode === next.mode));
      critical.setAttribute('aria-pressed', String(next.critical));
      fit.hidden = !next.zoomed;
      error.hidden = next.errors === 0;
    },
  };
}
