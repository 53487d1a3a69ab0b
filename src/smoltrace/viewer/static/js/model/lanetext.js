/** What a lane says in words: its values with their unit, its ends, and one line that sums it up. No DOM. */

import {count, grams, money, quantity, wh} from './format.js';
import {extremes} from './lanes.js';

const GIB = 1024;

/** @type {Record<string, (value: number) => string|null>} */
const TEXTS = {
  '%': (value) => `${whole(value)} %`,
  MiB: (value) => (value < GIB ? `${whole(value)} MiB` : `${gib(value)} GiB`),
  '°C': (value) => `${whole(value)} °C`,
  W: (value) => `${value < 9.95 ? quantity(value) : whole(value)} W`,
  Wh: wh,
  g: grams,
  USD: money,
};

const whole = (value) => count(Math.round(value));

/** A value of a lane with its unit. @param {string} unit @param {number|null} value @returns {string|null} */
export function valueText(unit, value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  if (value === 0) return unit === 'USD' ? '$0' : `0 ${unit}`;
  const text = TEXTS[unit];
  return text ? text(value) : `${quantity(value)} ${unit}`;
}

/** The upper end of a lane's scale: a round value is written as short as it is. @param {string} unit @param {number|null} top */
export function topText(unit, top) {
  if (top === null) return null;
  if (unit === 'MiB' && top >= GIB) return `${gib(top)} GiB`;
  const round = Number(top.toPrecision(3));
  const digits = round >= 1000 ? count(round) : String(round);
  if (/e/.test(digits)) return valueText(unit, top);
  return unit === 'USD' ? `$${digits}` : `${digits} ${unit}`;
}

function gib(value) {
  const text = (value / GIB).toFixed(value < 100 * GIB ? 1 : 0);
  return text.replace(/\.0$/, '');
}

/**
 * What the crosshair's tag says: one value, or of several GPUs the mean with its spread.
 * @param {{unit: string, spread: boolean}} lane @param {{value: number, low: number, high: number}} sample
 */
export function tagText(lane, sample) {
  const text = valueText(lane.unit, sample.value);
  if (!lane.spread || sample.high - sample.low < 1) return text;
  const digits = (value) => valueText(lane.unit, value)?.split(' ')[0];
  return `${text} (${digits(sample.low)}–${digits(sample.high)})`;
}

/**
 * The line under a lane's title. The means of the whole run are those of its row; of a part or of one GPU of several
 * the highest value is told, which the samples of the pixels hold exactly.
 * @param {import('./lanes.js').Lane} lane @param {object|null} row the run's row of the leaderboard, null for a part of it
 * @returns {string}
 */
export function noteText(lane, row) {
  const {peak, last} = extremes(lane);
  if (peak === null) return 'no sample here';
  if (lane.total) return `${lane.title.includes('total') ? '' : 'total '}${valueText(lane.unit, last)}`;
  const mean = row && (lane.gpus === 1 || lane.key === 'utilisation') ? meanText(lane, row) : null;
  if (mean) return mean;
  return `${lane.gpus > 1 && !lane.spread ? 'sum, ' : ''}peak ${valueText(lane.unit, peak)}`;
}

function meanText(lane, row) {
  const means = {
    utilisation: row.gpu_utilization_avg,
    memory: row.gpu_memory_avg_mib,
    temperature: row.gpu_temperature_avg,
    power: row.gpu_power_avg_w,
  };
  const mean = means[lane.key];
  return mean === null || mean === undefined ? null : `mean ${valueText(lane.unit, mean)}`;
}
