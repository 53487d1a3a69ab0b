/** Scales: the one place where values become px. Ticks stand at 1, 2 and 5 times powers of ten. */

/** @typedef {{value: number, label: string, major: boolean}} Tick */
/** @typedef {{at: (value: number) => number, invert: (px: number) => number, ticks: (n?: number) => Tick[], domain: [number, number], range: [number, number]}} Scale */

/**
 * Round values between two ends, both ends included where they are round.
 * @param {number} low
 * @param {number} high
 * @param {number} [n] about so many
 * @returns {number[]}
 */
export function niceTicks(low, high, n = 5) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [];
  if (low > high) return niceTicks(high, low, n);
  if (low === high) return [low];
  const step = niceStep((high - low) / Math.max(n, 1));
  const found = [];
  const from = Math.ceil(low / step - 1e-9);
  const to = Math.floor(high / step + 1e-9);
  for (let index = from; index <= to; index += 1) found.push(clean(index * step, step));
  return found;
}

/**
 * The next of 1, 2, 5 × 10^k that is not less.
 * @param {number} rough above 0
 */
export function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  const factor = share <= 1.000001 ? 1 : share <= 2.000001 ? 2 : share <= 5.000001 ? 5 : 10;
  return factor * power;
}

/** 0.30000000000000004 is meant as 0.3. @param {number} value @param {number} step */
function clean(value, step) {
  const decimals = Math.max(0, -Math.floor(Math.log10(step)) + 1);
  return decimals > 20 ? value : Number(value.toFixed(decimals));
}

/**
 * 1, 2 and 5 of every decade between two ends.
 * @param {number} low above 0
 * @param {number} high
 * @returns {{value: number, decade: boolean}[]}
 */
export function logTicks(low, high) {
  if (!(low > 0) || !(high >= low) || !Number.isFinite(high)) return [];
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of [1, 2, 5]) {
      const value = Number(`${factor}e${power}`);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) found.push({value, decade: factor === 1});
    }
  }
  return found;
}

/**
 * @param {[number, number]} domain
 * @param {[number, number]} range px
 * @param {{format?: (value: number, step: number) => string|null}} [options]
 * @returns {Scale}
 */
export function linear(domain, range, {format = String} = {}) {
  const [low, high] = domain;
  const [from, to] = range;
  const span = high - low;
  return {
    domain,
    range,
    at: (value) => (span === 0 ? (from + to) / 2 : from + ((value - low) / span) * (to - from)),
    invert: (px) => (to === from ? low : low + ((px - from) / (to - from)) * span),
    ticks(n = 5) {
      const values = niceTicks(low, high, n);
      const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(span);
      return values.map((value) => ({value, label: format(value, step) ?? '', major: true}));
    },
  };
}

/**
 * A logarithmic scale. What is not above 0 has no place on it: `at` answers NaN.
 * @param {[number, number]} domain both above 0
 * @param {[number, number]} range px
 * @param {{format?: (value: number) => string|null}} [options]
 * @returns {Scale}
 */
export function log(domain, range, {format = String} = {}) {
  const [low, high] = domain.map(Math.log10);
  const [from, to] = range;
  const span = high - low;
  return {
    domain,
    range,
    at: (value) => (value > 0 ? (span === 0 ? (from + to) / 2 : from + ((Math.log10(value) - low) / span) * (to - from)) : NaN),
    invert: (px) => 10 ** (to === from ? low : low + ((px - from) / (to - from)) * span),
    /** Every 1-2-5 tick; where there are more than `n`, only decades bear a label, and of these every second, third … */
    ticks(n = 8) {
      const all = logTicks(Math.min(...domain), Math.max(...domain));
      const decades = all.filter((tick) => tick.decade);
      const every = Math.max(1, Math.ceil(decades.length / Math.max(n, 1)));
      const shown = all.length <= n ? new Set(all) : new Set(decades.filter((_, index) => index % every === 0));
      return all.map((tick) => ({value: tick.value, label: shown.has(tick) ? format(tick.value) ?? '' : '', major: tick.decade}));
    },
  };
}
