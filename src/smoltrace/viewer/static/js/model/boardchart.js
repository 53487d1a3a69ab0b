/**
 * The chart of a leaderboard: where each run stands on an axis, the frontier, the best run's interval, the cards.
 *
 * A run that is not whole yet is a point like any other, but neither the best nor on the frontier as long as whole ones
 * are shown: three tests of a hundred that went well say little.
 */

import {LAST} from './boardquery.js';
import {judgedTests} from './judged.js';
import {frontierOf} from './pareto.js';
import {refused, told} from './refused.js';
import {sortedRows} from './table.js';

const MOST_POINTS = 400;
const MOST_UNPLACED = 200;

const AXES = {
  cost: {unit: 'USD', title: 'Cost per test', figure: (row) => row._cost},
  energy: {unit: 'Wh', title: 'Energy per test', figure: (row) => row._energy},
  co2: {unit: 'g', title: 'Emissions per test', figure: (row) => row._co2},
  latency: {unit: 'ms', title: 'Median duration of a test', figure: (row) => plain(row.p50_duration_ms, 'duration unknown')},
  tokens: {unit: 'tokens', title: 'Tokens per test', figure: (row) => plain(row.avg_tokens_per_test, 'tokens unknown')},
};

function plain(value, reason) {
  return {value: value ?? null, est: false, reason};
}

const BETTER = {down: true, value: (row) => row.success_rate};

/**
 * @param {object[]} rows filtered
 * @param {string} axis
 * @returns {object} as `/api/chart`
 */
export function chartOf(rows, axis) {
  if (!Object.hasOwn(AXES, axis)) throw refused(`axis=${told(axis)}: success can be set against ${Object.keys(AXES).join(', ')}.`);
  const {unit, title} = AXES[axis];
  const judged = rows.filter((row) => Number.isFinite(row.success_rate));
  const whole = judged.filter((row) => row._status === 'completed');
  const basis = whole.length > 0 ? whole : judged;
  const best = bestOf(basis, axis);
  const points = pointsOf(judged.filter((row) => placeOf(row, axis) !== null), basis, axis);
  const unplaced = sortedRows(judged.filter((row) => placeOf(row, axis) === null), [BETTER, ...LAST]);
  return {
    axis,
    unit,
    title,
    ...points,
    best: best?.run_id ?? null,
    band: best === null ? null : [best.success_rate_ci_low, best.success_rate_ci_high],
    unplaced: unplaced.slice(0, MOST_UNPLACED).map((row) => unplacedOf(row, axis)),
    unplaced_not_shown: Math.max(0, unplaced.length - MOST_UNPLACED),
    no_result: rows.length - judged.length,
    cards: cardsOf(basis, best),
  };
}

/** @returns {number|null} where a run stands on a log axis, which has no place for 0 */
function placeOf(row, axis) {
  const value = AXES[axis].figure(row)?.value ?? null;
  return value !== null && value > 0 ? value : null;
}

/** The frontier, and of the others the best, as many as can be told apart. */
function pointsOf(placed, basis, axis) {
  const whole = new Set(basis);
  const place = (row) => ({run_id: row.run_id, x: placeOf(row, axis), y: row.success_rate});
  const frontier = frontierOf(placed.filter((row) => whole.has(row)).map(place));
  const byId = new Map(placed.map((row) => [row.run_id, row]));
  const corners = frontier.map((id) => place(byId.get(id)));
  const orders = [BETTER, {down: false, value: (row) => placeOf(row, axis)}, {down: false, value: (row) => row.run_id}];
  const sent = new Set([...frontier.map((id) => byId.get(id)), ...sortedRows(placed, orders).slice(0, MOST_POINTS)]);
  const isOnIt = new Set(frontier);
  const points = [...sent].map((row) => {
    const onIt = isOnIt.has(row.run_id);
    return {...pointOf(row, axis), frontier: onIt, dominated: !onIt && isDominated(place(row), corners)};
  });
  return {points, not_shown: placed.length - points.length, frontier};
}

function isDominated({x, y}, corners) {
  return corners.some((one) => one.x <= x && one.y >= y && (one.x < x || one.y > y));
}

function pointOf(row, axis) {
  const {value, est, kind} = AXES[axis].figure(row);
  return {...standing(row), x: value, est: est === true, kind: axis === 'cost' ? kind : est ? 'estimated' : 'measured'};
}

function unplacedOf(row, axis) {
  const {value, reason, bound} = AXES[axis].figure(row);
  const zero = value !== null;
  const why = !zero ? reason : axis === 'cost' ? 'free: declared 0' : `0 ${AXES[axis].unit}`;
  return {...standing(row), strip: zero ? 'free' : 'unknown', why, bound: axis === 'cost' ? (bound ?? null) : null};
}

function standing(row) {
  return {
    run_id: row.run_id,
    model: row.model,
    agent_type: row.agent_type,
    y: row.success_rate,
    ci_low: row.success_rate_ci_low,
    ci_high: row.success_rate_ci_high,
    n: judgedTests(row),
    status: row._status,
  };
}

function bestOf(rows, axis) {
  const low = {down: true, value: (row) => row.success_rate_ci_low};
  const cheap = {down: false, value: (row) => AXES[axis].figure(row)?.value};
  return sortedRows(rows, [BETTER, low, cheap, ...LAST])[0] ?? null;
}

function cardsOf(rows, best) {
  const cost = (row) => row._cost.value;
  const edge = best?.success_rate_ci_low ?? Infinity;
  const near = rows.filter((row) => cost(row) > 0 && row.success_rate_ci_high >= edge);
  const cheapest = sortedRows(near, [{down: false, value: cost}, BETTER, ...LAST])[0] ?? null;
  const known = rows.filter((row) => row._energy.value !== null);
  const measuredFirst = {down: false, value: (row) => Number(row.total_gpu_energy_wh === null)};
  const least = {down: false, value: (row) => row._energy.value};
  const energy = sortedRows(known, [measuredFirst, least, BETTER, ...LAST])[0] ?? null;
  const card = (row) => (row === null ? null : {run_id: row.run_id, row});
  const why = cheapest?.run_id === best?.run_id ? 'the best run' : 'its interval overlaps that of the best run';
  return {best: card(best), cheapest: cheapest === null ? null : {...card(cheapest), why}, energy: card(energy)};
}
