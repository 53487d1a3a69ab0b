/** The tooltip of a mark: every fact that the leaderboard has of the run. */

import {AXES} from '../model/axes.js';
import {rankText} from '../model/celltext.js';
import {count, duration, interval, percent, quantity, tokens} from '../model/format.js';
import {shortAgent} from '../model/runname.js';
import {chip, statusChip} from './chip.js';
import {h} from './dom.js';
import {co2Figure, costFigure, energyFigure, figure, momentFigure} from './number.js';

/**
 * @param {object} point of the chart
 * @param {object|null} row of the leaderboard, where it is at hand
 * @param {string} axis
 * @returns {HTMLElement[]}
 */
export function tipParts(point, row, axis) {
  const facts = row === null ? pointFacts(point, axis) : rowFacts(row);
  const status = point.status ?? row?._status ?? 'completed';
  const live = status === 'completed' ? null : statusChip(status);
  return [
    h('div', {class: 'tip-head'}, h('strong', null, point.model ?? 'unnamed'), chip(shortAgent(point.agent_type)), live),
    h(
      'dl',
      {class: 'tip-facts'},
      fact('Success', figure(percent(point.y), {unit: '%'}), `${interval(point.ci_low, point.ci_high) ?? '—'}, n ${count(point.n) ?? '—'}`),
      point.why === undefined ? null : fact('Not on the axis', point.why),
      facts,
    ),
    h('p', {class: 'tip-foot'}, h('kbd', null, 'Enter'), ' opens the run ', h('kbd', null, 'p'), ' pins it'),
  ];
}

function pointFacts(point, axis) {
  const {title, text} = AXES[axis];
  if (!Number.isFinite(point.x)) return [];
  return [fact(capital(title), figure(text(point.x), {est: point.est === true}))];
}

function rowFacts(row) {
  const estimated = [row._energy, row._co2].map((amount) => (amount?.est ? `${quantity(amount.low) ?? '—'}–${quantity(amount.high) ?? '—'}` : null));
  return [
    fact('Rank', figure(rankText(row._rank), {why: row._rank_reason, showWhy: true})),
    fact('Cost per test', costFigure(row._cost, {showWhy: true}), costNote(row._cost)),
    fact('Tokens per test', figure(tokens(row.avg_tokens_per_test), {why: 'no call told its tokens', showWhy: true})),
    fact('Time, p50 and p95', figure(duration(row.p50_duration_ms)), duration(row.p95_duration_ms)),
    fact('Energy per test', energyFigure(row._energy, {showWhy: true, unit: true}), estimated[0]),
    fact('CO₂e per test', co2Figure(row._co2, {showWhy: true, unit: true}), estimated[1]),
    fact('Started', momentFigure(row.evaluation_date)),
    fact('Run', h('span', {class: 'mono'}, row.run_id)),
  ];
}

function costNote(cost) {
  if (cost?.value !== null && cost?.kind === 'electricity') return 'electricity';
  return cost?.bound && cost.unpriced ? `${count(cost.unpriced)} calls unpriced` : null;
}

function fact(name, value, note = null) {
  return [h('dt', null, name), h('dd', null, value, note === null ? null : h('span', {class: 'tip-note'}, note))];
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
