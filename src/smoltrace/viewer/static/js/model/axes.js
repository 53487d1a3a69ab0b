/** What success can be set against, and how each is told. */

import {duration, grams, gramsPlain, money, tokens, wh, whPlain} from './format.js';

/**
 * @typedef {object} Axis
 * @property {string} label in the selector
 * @property {string} title of the axis
 * @property {(value: number) => string|null} text with its unit
 * @property {(value: number) => string|null} tick as short as it can be
 * @property {string} estimated what a hollow mark means
 */

/** @type {Record<string, Axis>} */
export const AXES = {
  cost: {label: 'Cost', title: 'cost per test', text: money, tick: shortMoney, estimated: 'cost estimated'},
  energy: {label: 'Energy', title: 'Wh per test', text: wh, tick: (v) => short(whPlain(v)), estimated: 'energy estimated'},
  co2: {label: 'CO₂e', title: 'g CO₂e per test', text: grams, tick: (v) => short(gramsPlain(v)), estimated: 'CO₂e estimated'},
  latency: {label: 'Latency', title: 'median time per test', text: duration, tick: shortDuration, estimated: 'time estimated'},
  tokens: {label: 'Tokens', title: 'tokens per test', text: tokens, tick: (v) => short(tokens(v)), estimated: 'tokens estimated'},
};

/** @param {string} name @returns {string} a name of `AXES` */
export function axisName(name) {
  return Object.hasOwn(AXES, name) ? name : 'cost';
}

/** Zeros at the end say nothing on a tick: `0.20` is 0.2, `5.0k` is 5k. @param {string|null} text */
function short(text) {
  return text === null ? null : text.replace(/(\.\d*?)0+(?=\D*$)/, '$1').replace(/\.(?=\D*$)/, '');
}

/** `$1`, `$0.5`, `$0.05`, `$0.002`. @param {number} value */
function shortMoney(value) {
  const text = short(money(value));
  return text === '$0' ? money(value) : text;
}

/** `500 ms`, `2 s`, `5 min`: a tick is a round number, so no second unit is needed. @param {number} value */
function shortDuration(value) {
  if (value < 60_000) return short(duration(value));
  const [size, unit] = value < 3_600_000 ? [value / 60_000, 'min'] : [value / 3_600_000, 'h'];
  return `${Number(size.toPrecision(2))} ${unit}`;
}
