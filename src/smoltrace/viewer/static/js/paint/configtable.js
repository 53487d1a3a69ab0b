/** The configurations of the compared runs, side by side. */
import {settingsOf} from '../model/config.js';
import {h} from './dom.js';

/**
 * @param {{name: string, config: Record<string, any>}[]} runs
 * @param {{all: boolean, onAll: (all: boolean) => void}} options all settings, or those that differ
 */
export function configTable(runs, { all, onAll }) {
  const settings = settingsOf(runs);
  const differing = settings.filter((setting) => setting.differs);
  const shown = all ? settings : differing;
  const words = `${differing.length} of ${settings.length} settings differ`;
  const toggle = h('button', { type: 'button', class: 'link', on: { click: () => onAll(!all) } }, all ? 'Differences only' : `Show all ${settings.length}`);
  return h(
    'section',
    { class: 'cmp-config', 'aria-label': 'Configuration' },
    h('div', { class: 'toolbar' }, h('h2', null, 'Configuration'), h('span', { class: 'cell-note' }, words), settings.length > differing.length ? toggle : null),
    shown.length ? h('div', { class: 'cmp-config-box', role: 'group', 'aria-label': 'Settings', tabindex: '0' }, table(shown, runs)) : null,
  );
}

function table(shown, runs) {
  return h(
    'table',
    { class: 'plain-table', 'aria-label': 'Settings by run' },
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Setting'), runs.map((run) => h('th', { scope: 'col' }, run.name)))),
    h('tbody', null, shown.map(({ name, values }) => h('tr', null, h('th', { scope: 'row', class: 'mono' }, name), values.map((value) => valueCell(value, values[0]))))),
  );
}

function valueCell(value, first) {
  if (value === null) return h('td', { class: 'cmp-unset' }, '— not known to this run');
  return h('td', { class: ['mono', value !== first && 'cmp-changed', value === 'not set' && 'cmp-unset'], title: value }, value.length > 300 ? `${value.slice(0, 300)}…` : value);
}
