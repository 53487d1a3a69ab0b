/** The cells of the leaderboard's rows. */

import {RANK_WHY, alignOf, cellText, rankText} from '../model/celltext.js';
import {count, duration, interval, percent} from '../model/format.js';
import {whyNoRate} from '../model/judged.js';
import {shortAgent} from '../model/runname.js';
import {href} from '../model/state.js';
import {successBar} from './bar.js';
import {ownerAndName} from './cards.js';
import {statusChip} from './chip.js';
import {h} from './dom.js';
import {co2Figure, costFigure, energyFigure, figure, momentFigure, unknown} from './number.js';
import {spark} from './spark.js';
import {icon} from './svg.js';

/** Widths by kind: px, or a share of what is left. */
const WIDTHS = {
  agent: 60, success: 194, interval: 98, count: 76, cost: 132, tokens: 84, ms: 80, s: 96, energy: 100, co2: 92,
  spark: 120, date: 104, percent: 96, share: 80, number: 92, usd: 110, wh: 96, grams: 96, status: 104, hash: 116,
};
const OWN_WIDTHS = {
  num_tests: 56, avg_tokens_per_test: 68, p50_duration_ms: 76,
  gpu_memory_avg_mib: 120, gpu_memory_max_mib: 136, gpu_memory_total_mib: 144,
};
/** What electricity cost: only of a GPU of one's own is that known. */
const POWER = new Set(['power_cost_total_usd', 'electricity_cost_usd']);
const TITLES = {
  _rank: RANK_WHY,
  _interval: 'Wilson interval of the success rate, 95 %',
  num_tests: 'Executions, repeated attempts included',
  avg_tokens_per_test: 'Input and output tokens per test',
  _co2: 'Emissions per test',
  p50_duration_ms: 'Median wall time of a test',
  _spark: 'Power of the GPUs over the run',
};

/**
 * A column of the virtual table. Its key is what the data API sorts by.
 *
 * @param {import('../model/columns.js').Column} column
 * @param {number} runs how many there are: their ranks have as many digits
 */
export function tableColumn(column, runs) {
  const {key, kind, sort, label} = column;
  const width = kind === 'rank' ? 28 + 14 * Math.max(String(runs).length, 2) : OWN_WIDTHS[key] ?? WIDTHS[kind];
  return {
    key: sort ?? key,
    label,
    title: TITLES[key] ?? (label === key ? undefined : key.startsWith('_') ? undefined : key),
    width: width ?? (kind === 'model' ? 'minmax(150px, 2fr)' : 'minmax(120px, 1fr)'),
    align: kind === 'rank' ? 'right' : alignOf(kind),
    sortable: sort !== null,
    class: `cell-${kind}`,
    cell: (row) => cell(column, row),
  };
}

/**
 * @param {{isPinned: (runId: string) => boolean, onPin: (runId: string) => void}} pins
 * @returns {object} the column of the pins
 */
export function pinColumn({isPinned, onPin}) {
  const cell = (row) => pinButton(row, isPinned, onPin);
  return {key: '', label: '', title: 'Pin to compare', width: 36, align: 'left', sortable: false, class: 'cell-pin', cell};
}

function pinButton(row, isPinned, onPin) {
  const props = {type: 'button', class: 'pin', 'aria-label': `Pin ${row.model ?? 'unnamed'}, ${row.run_id}`, title: 'Pin to compare (p)'};
  const pressed = String(isPinned(row.run_id));
  return h('button', {...props, tabindex: '-1', 'aria-pressed': pressed, on: {click: () => onPin(row.run_id)}}, icon('pin', 15));
}

/** @type {Record<string, (row: object) => Node|string|(Node|string|null)[]>} */
const CELLS = {
  rank: (row) => figure(rankText(row._rank), {why: row._rank_reason}),
  model: modelCell,
  agent: (row) => row.agent_type ?? unknown('agent unknown'),
  success: (row) => (row.success_rate === null ? unknown(whyNoRate(row), {showWhy: true}) : successCell(row)),
  interval: (row) => interval(row.success_rate_ci_low, row.success_rate_ci_high) ?? unknown(whyNoRate(row)),
  cost: (row) => costFigure(row._cost, {hang: true, showWhy: true}),
  energy: (row) => energyFigure(row._energy, {showWhy: row._energy?.reason !== 'no GPU', hang: true}),
  co2: (row) => co2Figure(row._co2, {hang: true}),
  spark: sparkCell,
  date: (row) => momentFigure(row.evaluation_date),
  status: (row) => statusChip(row._status),
};

function cell(column, row) {
  const made = CELLS[column.kind];
  if (made !== undefined) return made(row);
  const text = cellText(column.kind, row[column.key]);
  if (text === null) return unknown(whyEmpty(column, row));
  return column.kind === 'text' || column.kind === 'tags' ? h('span', {title: text}, text) : text;
}

function sparkCell(row) {
  if (row._spark) return spark(row._spark, {title: `GPU power of ${row.model ?? 'this run'}`});
  return unknown(row._spark_reason ?? 'no GPU', {showWhy: true});
}

/** Why a column without a reason of its own is empty in a row. */
function whyEmpty({key, group}, row) {
  if (POWER.has(key)) return row._spark_reason ?? row._energy?.reason ?? 'not told';
  if (group === 'Cost') return row._cost?.reason ?? 'not told';
  if (key.includes('estimate')) return row._energy?.reason ?? 'measured, not estimated';
  if (key === 'co2_emissions_g') return row._spark_reason ?? row._co2?.reason ?? 'not told';
  if (key === 'country' || key === 'carbon_intensity') return 'the run names no country';
  if (group === 'Energy and GPU') return row._spark_reason ?? row._energy?.reason ?? 'not told';
  return row.num_tests === 0 || key === 'success_rate' ? whyNoRate(row) : 'not told';
}

/** A link with the run's name; in a group every row but the first says it quietly. */
function modelCell(row) {
  const name = row.model ?? 'unnamed';
  const group = row._group ?? null;
  const quiet = group !== null && !group.first;
  const props = {href: href('run', {id: row.run_id}), title: `${name}, run ${row.run_id}`, tabindex: '-1'};
  const link = h('a', {...props, class: quiet ? 'run-link run-link-quiet' : 'run-link'}, ownerAndName(name));
  const runs = group?.first && group.runs > 1 ? h('span', {class: 'group-count'}, `${count(group.runs)} runs`) : null;
  return h('span', {class: 'model-cell'}, link, liveChip(row), runs);
}

/** @param {object} row @returns {Node|null} for a run that is not finished */
function liveChip(row) {
  if (row._status === 'completed') return null;
  const chip = statusChip(row._status);
  const planned = row._planned ?? null;
  if (planned !== null) chip.title = `${count(row._finished)} of ${count(planned)} tests finished`;
  return chip;
}

function successCell(row) {
  return h('span', {class: 'success'}, successParts(row, 132));
}

function successParts({success_rate: rate, success_rate_ci_low: low, success_rate_ci_high: high}, width) {
  return [h('span', {class: 'success-figure'}, percent(rate)), successBar(rate, low, high, {width})];
}

/**
 * A row on a phone: two lines.
 *
 * @param {object} row
 * @param {{isPinned: (runId: string) => boolean, onPin: (runId: string) => void}} pins
 * @returns {HTMLElement}
 */
export function phoneRow(row, {isPinned, onPin}) {
  const rank = rankText(row._rank);
  const facts = [rank === null ? null : `rank ${rank}`, duration(row.p50_duration_ms)].filter(Boolean).join(' · ');
  const energy = energyFigure(row._energy, {unit: true, showWhy: true});
  const judged = row.success_rate !== null;
  return h(
    'div',
    {class: 'phone-row'},
    pinButton(row, isPinned, onPin),
    h('div', {class: 'phone-name'}, modelCell(row), ' ', h('span', {class: 'phone-agent'}, shortAgent(row.agent_type))),
    h('div', {class: 'phone-facts'}, facts, ' · ', energy),
    h('div', {class: 'phone-success'}, judged ? successParts(row, 84).reverse() : unknown(row.num_tests ? whyNoRate(row) : 'no test yet', {showWhy: true})),
    h('div', {class: 'phone-cost'}, costFigure(row._cost, {showWhy: true})),
  );
}
