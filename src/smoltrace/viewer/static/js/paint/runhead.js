/** The head of a run's column: which run it is, and what can be done with the column. */
import {aliveWord} from '../model/alive.js';
import {dateTime} from '../model/format.js';
import {shortAgent} from '../model/runname.js';
import {href} from '../model/state.js';
import {chip, statusChip} from './chip.js';
import {h} from './dom.js';
import {menu} from './menu.js';
import {icon} from './svg.js';

/** Names up to so long leave room for a chip on their line. */
const SHORT = 10;

/**
 * @typedef {object} ColumnActions
 * @property {(from: number, to: number) => void} move
 * @property {(index: number) => void} remove
 * @property {(index: number) => void} choose makes it the column that the keys act on
 */

/**
 * @param {import('../screens/comparedata.js').ComparedRun} run
 * @param {number} index @param {number} count of runs
 * @param {ColumnActions} actions
 * @param {boolean} roomy whether a chip more has room beside the name
 */
export function runHead(run, index, count, actions, roomy) {
  const short = roomy && run.name.length <= SHORT;
  const remove = h('button', { type: 'button', class: 'icon-button cmp-small', 'aria-label': `Remove ${run.name}`, title: 'Remove', on: { click: () => actions.remove(index) } }, icon('close', 14));
  return h(
    'div',
    { class: 'cmp-head' },
    h(
      'div',
      { class: 'cmp-head-line' },
      h('a', { class: 'cmp-model', href: href('run', { id: run.id }), title: `${run.model} · ${run.id}` }, run.name),
      chip(shortAgent(run.row.agent_type)),
      index === 0 && short ? chip('baseline', 'solid') : null,
      liveChip(run),
      h('span', { class: 'cmp-head-tools' }, columnMenu(run, index, count, actions), remove),
    ),
    h('div', { class: 'cmp-facts', title: factsOf(run).join(' · ') }, index === 0 && !short ? [chip('baseline', 'solid'), ' '] : null, factsOf(run).join(' · ')),
  );
}

function liveChip(run) {
  if (run.status === 'completed') return null;
  const text = run.planned ? `${run.status === 'running' ? aliveWord() : 'incomplete'}, ${run.tests.count} of ${run.planned}` : undefined;
  return statusChip(run.status, { text });
}

/** What tells one run of a model from another. */
export function factsOf(run) {
  const { row, config } = run;
  const setting = (name) => config[name] ?? config[`model.generation.${name}`] ?? config[`generation.${name}`] ?? null;
  const temperature = row.common_temperature ?? setting('temperature');
  const seed = setting('seed');
  return [
    dateTime(row.evaluation_date),
    temperature === null ? null : `temperature ${temperature}`,
    seed === null ? null : `seed ${seed}`,
    /(?:\d+ × )?(?:NVIDIA|AMD|Apple)[^,]*/i.exec(row.hardware ?? '')?.[0],
  ].filter(Boolean);
}

function columnMenu(run, index, count, actions) {
  const button = h('button', { type: 'button', class: 'icon-button cmp-small', 'aria-label': `Column of ${run.name}`, title: 'Column' }, icon('more', 14));
  menu(button, () => [
    { label: 'Make it the baseline', disabled: index === 0, run: () => actions.move(index, 0) },
    { label: 'Move left', disabled: index === 0, run: () => actions.move(index, index - 1) },
    { label: 'Move right', disabled: index === count - 1, run: () => actions.move(index, index + 1) },
    { label: 'Remove', run: () => actions.remove(index) },
    { label: 'Open the run', href: href('run', { id: run.id }) },
  ], { label: `Column of ${run.name}` });
  return button;
}
