/** Figures: digits, "est." where they are an estimate, and where nothing is known a dash and the reason. */
import {dateTime, money, quantity} from '../model/format.js';
import {h, hiddenText} from './dom.js';

/**
 * @param {string|null} text the digits; null where nothing is known
 * @param {{est?: boolean, why?: string|null, bound?: boolean, unit?: string|null, title?: string|null, showWhy?: boolean, hang?: boolean}} [options]
 *   `showWhy` writes the reason beside the dash, not only in its title; `hang` keeps the width of "est." where there is none
 * @returns {HTMLElement}
 */
export function figure(text, {est = false, why = null, bound = false, unit = null, title = null, showWhy = false, hang = false} = {}) {
  if (text === null || text === undefined) return unknown(why, {showWhy, hang});
  const mark = est ? h('i', {class: 'est', title: title ?? 'estimated, not measured'}, 'est.') : null;
  return h(
    'span',
    {class: ['fig', hang && 'fig-hang', bound && 'fig-bound'], title: title ?? (bound ? 'at least: a part is not known' : null)},
    h('span', {class: 'digits'}, bound ? '≥\u00a0' : null, text),
    unit ? h('span', {class: 'unit'}, '\u00a0' + unit) : null,
    mark && !hang ? '\u00a0' : null,
    mark,
  );
}

/**
 * A dash that says why.
 * @param {string|null} [why]
 * @param {{showWhy?: boolean, hang?: boolean}} [options]
 */
export function unknown(why = null, {showWhy = false, hang = false} = {}) {
  const reason = why ?? 'not known';
  const words = showWhy ? h('span', {class: 'why'}, ' ' + reason) : hiddenText(reason);
  return h('span', {class: ['fig', 'fig-none', hang && !showWhy && 'fig-hang'], title: reason}, h('span', {'aria-hidden': 'true'}, '—'), words);
}

/**
 * @param {{value: number|null, kind?: string, est?: boolean, reason?: string|null, bound?: number|null, unpriced?: number|null, calls?: number|null}|null|undefined} cost
 * @param {{showWhy?: boolean, hang?: boolean, unit?: string|null}} [options]
 */
export function costFigure(cost, options = {}) {
  if (!cost) return unknown(null, options);
  if (cost.value === null || cost.value === undefined) return unknownCost(cost, options);
  // A price that is declared as 0 is a word, not a number that could be taken for a measured one.
  if (cost.kind === 'free') return figure('free', {...options, title: cost.reason ?? 'its price is declared as 0'});
  const title = [exact(cost.value, 'USD'), cost.kind === 'electricity' ? 'electricity only' : null, cost.reason].filter(Boolean).join(', ');
  return figure(money(cost.value), {...options, est: Boolean(cost.est), title});
}

/** @param {any} cost @param {any} options */
function unknownCost(cost, options) {
  const share = cost.unpriced && cost.calls ? `${cost.unpriced} of ${cost.calls} calls unpriced` : null;
  const why = cost.reason ?? share ?? 'price unknown';
  if (!cost.bound) return unknown(why, options);
  return figure(money(cost.bound), {...options, bound: true, title: share ? `at least: ${share}` : `at least: ${why}`});
}

/** @param {number} value @param {string} unit @returns {string} every digit there is */
function exact(value, unit) {
  return `${Number(value.toPrecision(12))} ${unit}`;
}

/** When something was, in the reader's own time; the title has it in UTC. @param {number|null|undefined} unixMs */
export function momentFigure(unixMs) {
  const text = dateTime(unixMs);
  return figure(text, {title: text === null ? null : new Date(/** @type {number} */ (unixMs)).toISOString(), why: 'not told'});
}

/** @typedef {{value: number|null, est?: boolean, low?: number|null, high?: number|null, reason?: string|null}} Amount */

/** @param {Amount|null|undefined} energy in Wh @param {{showWhy?: boolean, hang?: boolean, unit?: string|boolean|null}} [options] */
export function energyFigure(energy, options = {}) {
  return amount(energy, 'Wh', options);
}

/** @param {Amount|null|undefined} co2 in g @param {{showWhy?: boolean, hang?: boolean, unit?: string|boolean|null}} [options] */
export function co2Figure(co2, options = {}) {
  return amount(co2, 'g', options);
}

/** @param {Amount|null|undefined} some @param {string} unit @param {any} options */
function amount(some, unit, options) {
  if (!some || some.value === null || some.value === undefined) return unknown(some?.reason ?? null, options);
  const range = some.est && typeof some.low === 'number' && typeof some.high === 'number' ? `${quantity(some.low)}–${quantity(some.high)} ${unit}` : null;
  const title = [exact(some.value, unit), range, some.reason].filter(Boolean).join(', ');
  return figure(quantity(some.value), {...options, unit: options.unit === true ? unit : options.unit || null, est: Boolean(some.est), title});
}
