/**
 * How every number is written. Each function answers with a string, and null for what is unknown (null, undefined, NaN, infinite):
 * whoever paints it shows a dash and the reason. Units are in the text only where the style wants them there.
 */

const THIN = '\u2009';
const MINUS = '\u2212';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * @param {any} value
 * @returns {value is number}
 */
function known(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

/** @param {string} digits of a whole number @returns {string} */
function grouped(digits) {
  return digits.length < 4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** @param {number} value @param {number} decimals @returns {string} with a true minus and thin spaces, never "−0.0" */
function fixed(value, decimals) {
  if (Math.abs(value) >= 1e21) return value.toExponential(1).replace('-', MINUS).replace('e+', 'e');
  const text = Math.abs(value).toFixed(decimals);
  const [whole, part] = text.split('.');
  const sign = value < 0 && Number(text) !== 0 ? MINUS : '';
  return sign + grouped(whole) + (part ? '.' + part : '');
}

/** @param {number} value @returns {string} two significant digits, never in powers of ten */
function twoDigits(value) {
  if (value === 0) return '0.00';
  const exponent = Number(Math.abs(value).toExponential(1).split('e')[1]);
  return fixed(value, Math.min(Math.max(1 - exponent, 0), 20));
}

/**
 * Dollars without the sign, for columns whose head bears it: two decimals, and never fewer than two significant digits: what a
 * test costs is often 1.5 ¢, and 2 ¢ is a third more.
 * @param {number|null|undefined} usd
 */
export function moneyPlain(usd) {
  if (!known(usd)) return null;
  const size = Math.abs(usd);
  if (size > 0 && size < 1e-12) return usd < 0 ? `> ${MINUS}0.000000000001` : '< 0.000000000001';
  return size === 0 || size >= 0.0995 ? fixed(usd, 2) : twoDigits(usd);
}

/**
 * Dollars: `$1.24`, `$0.0038`, `$0.000071`.
 * @param {number|null|undefined} usd
 */
export function money(usd) {
  const plain = moneyPlain(usd);
  if (plain === null) return null;
  return /^[<>]/.test(plain) ? plain.replace(/(\d)/, '$$$1') : plain.startsWith(MINUS) ? MINUS + '$' + plain.slice(1) : '$' + plain;
}

/**
 * Per cent without the sign, one decimal: `93.3`. 100.0 and 0.0 only where all or none is meant.
 * @param {number|null|undefined} value 0 to 100
 */
export function percent(value) {
  if (!known(value)) return null;
  if (value > 0 && value < 100) return fixed(Math.min(Math.max(value, 0.1), 99.9), 1);
  return fixed(value, 1);
}

/**
 * `88.2–96.3`.
 * @param {number|null|undefined} low in per cent
 * @param {number|null|undefined} high in per cent
 */
export function interval(low, high) {
  if (!known(low) || !known(high)) return null;
  return `${fixed(low, 1)}–${fixed(high, 1)}`;
}

/**
 * `950 ms`, `12.3 s`, `4 m 05 s`, `2 h 03 m`, `3 d 04 h`; under 10 ms two digits.
 * @param {number|null|undefined} ms
 * @returns {string|null}
 */
export function duration(ms) {
  if (!known(ms)) return null;
  if (ms < 0) return MINUS + /** @type {string} */ (duration(-ms));
  if (ms === 0) return '0 ms';
  if (ms < 0.001) return '< 0.001 ms';
  if (ms < 0.995) return twoDigits(ms) + ' ms';
  if (ms < 9.95) return fixed(ms, 1) + ' ms';
  if (ms < 999.5) return fixed(ms, 0) + ' ms';
  const seconds = ms / 1000;
  if (seconds < 59.95) return fixed(seconds, 1) + ' s';
  const whole = Math.round(seconds);
  if (whole < 3600) return pair(whole, 60, 'm', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(minutes, 60, 'h', 'm');
  return pair(Math.round(minutes / 60), 24, 'd', 'h');
}

/** @param {number} whole @param {number} base @param {string} large @param {string} small */
function pair(whole, base, large, small) {
  return `${grouped(String(Math.floor(whole / base)))} ${large} ${String(whole % base).padStart(2, '0')} ${small}`;
}

/** Milliseconds of a unit, and the step between two ticks from which an axis is in it. @type {[number, string, number][]} */
const TIME_UNITS = [
  [86_400_000, 'd', 43_200_000],
  [3_600_000, 'h', 1_800_000],
  [60_000, 'min', 30_000],
  [1000, 's', 100],
];

/**
 * A tick of a time axis: `0`, `500 ms`, `2.5 s`, `10 min`, `4 h`, as few decimals as the value needs.
 * @param {number|null|undefined} ms
 * @param {number} [step] between two ticks, in ms: the unit is then the same along the axis
 */
export function durationAxis(ms, step) {
  if (!known(ms)) return null;
  if (ms === 0) return '0';
  // A step tells the unit of the whole axis; a value alone is told in the unit that suits it.
  const [to, unit] = TIME_UNITS.find(([size, , least]) => (step ? step >= least : Math.abs(ms) >= size * (size > 1000 ? 2 : 1))) ?? [1, 'ms'];
  return `${trimmed(ms / to, 3)} ${unit}`;
}

/** @param {number} value @param {number} decimals at most */
function trimmed(value, decimals) {
  const text = fixed(value, decimals);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/**
 * `402`, `12.3k`, `1.2M`, `4.5G`.
 * @param {number|null|undefined} value
 * @returns {string|null}
 */
export function tokens(value) {
  if (!known(value)) return null;
  if (value < 0) return MINUS + /** @type {string} */ (tokens(-value));
  if (value < 999.5) return fixed(value, 0);
  if (value < 999_950) return fixed(value / 1000, 1) + 'k';
  if (value < 999_950_000) return fixed(value / 1e6, 1) + 'M';
  return fixed(value / 1e9, 1) + 'G';
}

/**
 * A whole number with thin spaces: `1 842`; a mean keeps one decimal: `4.2`.
 * @param {number|null|undefined} value
 * @param {number} [decimals]
 */
export function count(value, decimals) {
  if (!known(value)) return null;
  return fixed(value, decimals ?? (Number.isInteger(value) ? 0 : 1));
}

/**
 * Digits of a small quantity: two significant under a hundredth, two decimals under one, one decimal under a hundred, then whole.
 * @param {number|null|undefined} value
 */
export function quantity(value) {
  if (!known(value)) return null;
  const size = Math.abs(value);
  if (size === 0) return '0.00';
  if (size < 1e-9) return '< 0.000000001';
  if (size < 0.00995) return twoDigits(value);
  if (size < 0.995) return fixed(value, 2);
  return fixed(value, size < 99.95 ? 1 : 0);
}

/** `0.42 Wh`, `17.8 Wh`, `1.2 kWh`. @param {number|null|undefined} value */
export function wh(value) {
  return scaled(value, 'Wh', 'kWh');
}

/** `1.8 g`, `2.4 kg`. @param {number|null|undefined} value */
export function grams(value) {
  return scaled(value, 'g', 'kg');
}

/** @param {number|null|undefined} value @param {string} unit @param {string} thousand */
function scaled(value, unit, thousand) {
  if (!known(value)) return null;
  return Math.abs(value) < 999.5 ? `${quantity(value)} ${unit}` : `${quantity(value / 1000)} ${thousand}`;
}

/** Without the unit, for columns whose head bears it. @param {number|null|undefined} value */
export function whPlain(value) {
  return quantity(value);
}

/** @param {number|null|undefined} value */
export function gramsPlain(value) {
  return quantity(value);
}

/** @type {Object<string, (value: number) => string|null>} */
const SIZES = {
  percent: (value) => fixed(value, 1) + ' pp',
  pp: (value) => fixed(value, 1) + ' pp',
  money,
  usd: money,
  duration,
  ms: duration,
  tokens,
  wh: quantity,
  grams: quantity,
  count: (value) => fixed(value, Number.isInteger(value) ? 0 : 1),
  number: (value) => fixed(value, 1),
};

/**
 * A signed difference: `+4.7 pp`, `−2.7 s`; without a sign where it is nothing. A ratio as `× 4.13`.
 * @param {number|null|undefined} value
 * @param {'percent'|'pp'|'money'|'usd'|'duration'|'ms'|'tokens'|'wh'|'grams'|'count'|'number'|'ratio'} kind
 */
export function difference(value, kind) {
  if (kind === 'ratio') return ratio(value);
  if (!known(value)) return null;
  const size = (SIZES[kind] ?? SIZES.number)(Math.abs(value));
  if (size === null) return null;
  return /[1-9]/.test(size) ? (value < 0 ? MINUS : '+') + size : size;
}

/**
 * `× 4.13`, `× 0.13`, `× 12.4`, `× 120`.
 * @param {number|null|undefined} value
 */
export function ratio(value) {
  if (!known(value)) return null;
  const size = Math.abs(value);
  if (size !== 0 && size < 0.0995) return size < 1e-6 ? '× < 0.000001' : '× ' + twoDigits(value);
  return '× ' + fixed(value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, '0');
}

/**
 * `18 Nov`, and with the year where it is not this one; local time.
 * @param {number|null|undefined} unixMs
 * @param {{now?: number}} [options]
 */
export function date(unixMs, {now = Date.now()} = {}) {
  if (!known(unixMs)) return null;
  const day = new Date(unixMs);
  if (Number.isNaN(day.getTime())) return null;
  const year = day.getFullYear() === new Date(now).getFullYear() ? '' : ` ${day.getFullYear()}`;
  return `${day.getDate()} ${MONTHS[day.getMonth()]}${year}`;
}

/**
 * `18 Nov 16:40`, or with seconds `18 Nov 16:40:07`; local time.
 * @param {number|null|undefined} unixMs
 * @param {{now?: number, seconds?: boolean}} [options]
 */
export function dateTime(unixMs, {now = Date.now(), seconds = false} = {}) {
  const day = date(unixMs, {now});
  if (day === null) return null;
  const moment = new Date(/** @type {number} */ (unixMs));
  return `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}${seconds ? ':' + two(moment.getSeconds()) : ''}`;
}

/**
 * `950 B`, `12.3 kB`, `1.2 MB`.
 * @param {number|null|undefined} value
 */
export function bytes(value) {
  if (!known(value)) return null;
  if (value < 999.5) return fixed(value, 0) + ' B';
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let size = value / 1000;
  let step = 0;
  while (size >= 999.95 && step < units.length - 1) {
    size /= 1000;
    step += 1;
  }
  return `${fixed(size, 1)} ${units[step]}`;
}

/**
 * Time since the start, as a clock shows it: `0:07`, `12:29`, `1:02:29`.
 * @param {number|null|undefined} ms
 */
export function clock(ms) {
  if (!known(ms)) return null;
  const whole = Math.floor(Math.abs(ms) / 1000);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const sign = ms < 0 && whole > 0 ? MINUS : '';
  return sign + (hours ? `${hours}:${two(minutes)}` : String(minutes)) + ':' + two(whole % 60);
}
