/** What the three cards say of their runs. */

import {count, duration, gramsPlain, interval, money, percent, tokens, whPlain} from './format.js';
import {judgedTests} from './judged.js';

/**
 * @typedef {object} Card
 * @property {string} title
 * @property {string|null} value digits
 * @property {string} unit
 * @property {boolean} est
 * @property {string} aside at the right
 * @property {object|null} row
 * @property {{text: string, est: boolean}[]} notes joined by middle dots
 * @property {string|null} none why there is no run to show
 */

/**
 * @param {{best: {row: object}|null, cheapest: {row: object}|null, energy: {row: object}|null}} cards
 * @returns {Card[]}
 */
export function cardWords({best, cheapest, energy}) {
  return [bestCard(best?.row ?? null), cheapestCard(cheapest?.row ?? null, best?.row ?? null), energyCard(energy?.row ?? null)];
}

function bestCard(row) {
  const title = 'Best success';
  if (row === null) return noCard(title, 'no test was judged yet');
  const range = interval(row.success_rate_ci_low, row.success_rate_ci_high);
  return {
    title,
    value: percent(row.success_rate),
    unit: '%',
    est: false,
    aside: `${spaced(range) ?? '—'} %, n ${count(judgedTests(row)) ?? '—'}`,
    row,
    notes: [costNote(row), note(duration(row.p50_duration_ms), 'p50 '), energyNote(row)].filter(Boolean),
    none: null,
  };
}

function cheapestCard(row, best) {
  const title = 'Cheapest within the interval of the best';
  if (row === null) return noCard(title, best === null ? 'no test was judged yet' : 'none of these runs has a known price');
  return {
    title,
    value: money(row._cost.value),
    unit: 'per test',
    est: row._cost.est === true,
    aside: successAside(row),
    row,
    notes: [againstBest(row, best), row._cost.kind === 'electricity' ? note('electricity') : null].filter(Boolean),
    none: null,
  };
}

function energyCard(row) {
  if (row === null) return noCard('Lowest energy', 'no run was measured: no GPU');
  const title = row._energy.est ? 'Lowest energy, estimated' : 'Lowest energy, measured';
  const grams = row._co2?.value ?? null;
  return {
    title,
    value: whPlain(row._energy.value),
    unit: 'Wh per test',
    est: row._energy.est === true,
    aside: successAside(row),
    row,
    notes: [
      note(gramsPlain(grams), '', ' g CO₂e', row._co2?.est === true),
      note(count(row.carbon_intensity, 0), '', ` g/kWh${row.country ? ` ${row.country}` : ' grid'}`),
      note(row._energy.est ? row.energy_estimate_method : lastPart(row.hardware)),
    ].filter(Boolean),
    none: null,
  };
}

/** How a cheaper run stands to the best: `4.1× cheaper than the best, 4.7 points lower`. */
function againstBest(row, best) {
  if (row.run_id === best.run_id) return note('The best run itself');
  const points = best.success_rate - row.success_rate;
  const lower = points < 0.05 ? 'as successful' : `${percent(points)} points lower`;
  const known = best._cost.value;
  if (known === null) return note(`The best run’s price is unknown; ${lower}`);
  if (!(known > 0) || !(row._cost.value > 0)) return note(lower);
  const times = known / row._cost.value;
  const digits = times < 99.95 ? times.toFixed(1) : count(Math.round(times));
  const words = times < 1.05 ? 'As cheap as the best' : `${digits}× cheaper than the best`;
  return note(`${words}, ${lower}`, '', '', row._cost.est === true || best._cost.est === true);
}

function successAside(row) {
  const range = interval(row.success_rate_ci_low, row.success_rate_ci_high);
  return `${percent(row.success_rate)} % [${range === null ? '—' : range.replace('–', ', ')}]`;
}

function costNote(row) {
  const cost = row._cost;
  if (cost.value === null) return {text: cost.reason ?? 'price unknown', est: false};
  return {text: cost.kind === 'free' ? 'free' : `${money(cost.value)} per test`, est: cost.est};
}

function energyNote(row) {
  const energy = row._energy;
  if (energy.value === null) return note(tokens(row.avg_tokens_per_test), '', ' tokens');
  return {text: `${whPlain(energy.value)} Wh`, est: energy.est};
}

function note(text, before = '', after = '', est = false) {
  return text === null ? null : {text: `${before}${text}${after}`, est};
}

/** Of "Linux x86_64, 16 CPUs, 1 × NVIDIA L4" the device is what matters beside an energy. */
function lastPart(hardware) {
  return hardware ? hardware.split(', ').pop().replace(/^1 × /, '') : null;
}

function spaced(range) {
  return range === null ? null : range.replace('–', ' – ');
}

function noCard(title, none) {
  return {title, value: null, unit: '', est: false, aside: '', row: null, notes: [], none};
}
