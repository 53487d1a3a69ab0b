/**
 * What a comparison says, in words and digits.
 */
import {count, difference, duration, interval, money, percent, quantity, ratio, tokens} from './format.js';

/** How each metric is written. */
const FORMS = {
  success: { value: percent, kind: 'pp', unit: '%' },
  cost: { value: money, kind: 'money', unit: '' },
  duration: { value: duration, kind: 'ms', unit: '' },
  tokens: { value: tokens, kind: 'tokens', unit: '' },
  steps: { value: (value) => count(value, 1), kind: 'wh', unit: '' },
  energy: { value: quantity, kind: 'wh', unit: 'Wh' },
  co2: { value: quantity, kind: 'grams', unit: 'g' },
  errors: { value: percent, kind: 'pp', unit: '%' },
  calls: { value: (value) => count(value, 1), kind: 'wh', unit: '' },
};

const TONES = { better: 'ok', worse: 'fail', more: 'plain', fewer: 'plain' };

/** @typedef {import('./metrics.js').Metric} Metric */
/** @typedef {import('./paired.js').Difference} Difference */

/** @param {Metric} metric */
export function unitOf(metric) {
  return FORMS[metric.key].unit;
}

/** @param {Metric} metric @param {number | null} value */
export function valueText(metric, value) {
  return FORMS[metric.key].value(value);
}

/** Whether the ratio is shown: where it is wanted and there is one. */
export function asRatio(metric, found) {
  return metric.shown === 'ratio' && found.ratio !== null;
}

/** @param {Metric} metric @param {Difference} found @returns {string | null} `+4.7 pp`, `× 4.13` */
export function differenceText(metric, found) {
  return asRatio(metric, found) ? ratio(found.ratio) : difference(found.difference, FORMS[metric.key].kind);
}

/** @param {Metric} metric @param {Difference} found @returns {string | null} `−3.6 to −1.9 s`, `× 3.80–4.50` */
export function intervalText(metric, found) {
  const isRatio = asRatio(metric, found);
  const ends = isRatio ? found.ratioInterval : found.interval;
  if (!ends) return null;
  if (isRatio) return `${ratio(ends[0])}–${ratio(ends[1]).replace('× ', '')}`;
  const [low, high] = ends.map((end) => difference(end, FORMS[metric.key].kind));
  const unit = /\s\D+$/.exec(high)?.[0] ?? '';
  return `${unit && low.endsWith(unit) ? low.slice(0, -unit.length) : low} to ${high}`;
}

/**
 * The verdict. A sentence of its own where there is none, else what stands behind the interval.
 * @param {Metric} metric @param {Difference} found
 * @returns {{text: string, tone: 'ok' | 'fail' | 'plain' | 'none', told: boolean}} `told`: significant, so the
 *   interval stands before the words
 */
export function verdictWords(metric, found) {
  const none = (text) => ({ text, tone: 'none', told: false });
  if (found.verdict === 'unknown') return none(found.reason ?? 'not known');
  if (found.verdict === 'mixed') return none(`no verdict, ${found.reason}`);
  if (found.verdict === 'few') return none(`no verdict, ${found.n === 1 ? 'one test' : `only ${found.n} tests`}`);
  if (found.verdict === 'same') return none('the same in every test');
  if (found.verdict === 'none') return none('no significant difference');
  const text = metric.statistic === 'rate' ? `significantly ${found.verdict}` : found.verdict;
  return { text, tone: TONES[found.verdict], told: true };
}

/** Whether the dot is filled. */
export function isSignificant(found) {
  return found.verdict in TONES;
}

/** Counts of rows that changed, in words: `11 improved · 4 regressed`, `38 lower · 2 higher`. */
export function changeWords(metric, found) {
  if (!found.n) return null;
  if (metric.statistic === 'rate') return `${found.improved} improved · ${found.regressed} regressed`;
  const [less, more] = metric.better === 'less' ? [found.improved, found.regressed] : [found.regressed, found.improved];
  return `${less} lower · ${more} higher`;
}

/** All that there is to say of a comparison, for a tooltip. */
export function wholeSentence(metric, found) {
  const { text } = verdictWords(metric, found);
  const range = intervalText(metric, found);
  const parts = [`${metric.label}: ${differenceText(metric, found) ?? 'no difference known'}, ${text}`];
  if (range) parts.push(`95 % interval ${range}`);
  if (found.p !== null) parts.push(`p ${pText(found.p)}, exact`);
  parts.push(changeWords(metric, found), `n ${found.n} tests${found.pairs === found.n ? '' : `, ${found.pairs} pairs`}`, found.method);
  return parts.filter(Boolean).join('\n');
}

/** @param {number} p */
export function pText(p) {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/**
 * What stands beside a value: interval and n of a rate, total of money, p95 of a duration.
 * @param {Metric} metric @param {import('./paired.js').Value} value
 */
export function asideText(metric, value) {
  const { key } = metric;
  if (value.value === null) return value.bound === null ? null : `${count(value.of - value.n)} of ${count(value.of)} unpriced`;
  if (metric.statistic === 'rate') return `${interval(value.low, value.high)}, n ${count(value.n)}`;
  if (value.est && value.low !== null) return `range ${quantity(value.low)}–${quantity(value.high)}`;
  if (!value.n) return 'the whole run';
  const whole = value.n === value.of ? '' : `, n ${value.n} of ${value.of}`;
  if (key === 'cost') return value.total === null ? null : `${money(value.total)} in all`;
  if (key === 'energy' || key === 'co2') return value.total === null ? `n ${value.n} of ${value.of}` : `${quantity(value.total)} in all`;
  return `p95 ${key === 'duration' ? duration(value.p95) : key === 'tokens' ? tokens(value.p95) : count(value.p95)}${whole}`;
}
