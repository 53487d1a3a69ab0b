/**
 * Paired comparison of runs: what each metric is in a run, how it differs from the baseline's, and whether that can be
 * told from chance.
 *
 * Pairs are the executions that `matchTests` puts together. Pairs of one test (attempts, kinds of agent) are not
 * independent, so the unit that varies is the test: every interval and every p value is over tests.
 */
import {meanIntervals, medianIntervals} from './bootstrap.js';
import {readMetric} from './metrics.js';
import {pairedInterval, signFlipTest} from './proportions.js';
import {quantile, wilson} from './statistics.js';

/** With fewer tests even a difference in all of them has an exact p above 0.05. */
const FEWEST_TESTS = 6;
const LEVEL = 0.05;

/**
 * @typedef {import('./metrics.js').Metric} Metric
 * @typedef {object} Value  a metric of one run, over the matched executions
 * @property {number | null} value rate in per cent, mean or median
 * @property {number} n pairs with a value, of `of`
 * @property {number} of
 * @property {boolean} est at least one is an estimate
 * @property {string | null} reason why `value` is null
 * @property {number | null} bound of a mean with unknown parts: at least this
 * @property {number | null} low of a rate its Wilson interval, of an estimate its range
 * @property {number | null} high
 * @property {number | null} p95
 * @property {number | null} total
 * @typedef {object} Difference  of a run to the baseline
 * @property {number} n tests with both values
 * @property {number} pairs executions with both values
 * @property {number | null} difference run − baseline (rates: percentage points)
 * @property {[number, number] | null} interval of it, 95 %
 * @property {number | null} ratio run / baseline
 * @property {[number, number] | null} ratioInterval
 * @property {number | null} p of a rate, exact
 * @property {'better'|'worse'|'more'|'fewer'|'none'|'same'|'few'|'mixed'|'unknown'} verdict
 * @property {string | null} reason of `mixed` and `unknown`
 * @property {number} improved rows of the matrix where the run is better (higher, where neither is)
 * @property {number} regressed rows where it is worse (lower)
 * @property {string | null} method
 */

/**
 * All metrics of all runs, worked out as they are asked for and kept.
 * @param {import('./match.js').Tests[]} runs the first is the baseline
 * @param {ReturnType<import('./match.js').matchTests>} match
 * @param {any[]} [rows] of the leaderboard: they tell what the tests don't, where all tests are matched
 * @returns {{value: (metric: Metric, run: number) => Value, difference: (metric: Metric, run: number) => Difference}}
 */
export function comparison(runs, match, rows = []) {
  const kept = new Map();
  const once = (name, make) => {
    if (!kept.has(name)) kept.set(name, make());
    return kept.get(name);
  };
  const read = (metric, run) => once(`read ${metric.key} ${run}`, () => readMetric(metric, runs[run]));
  return {
    value: (metric, run) => once(`value ${metric.key} ${run}`, () => wholeRun(metric, valueOf(metric, read(metric, run), match, run), rows[run], match, run)),
    difference: (metric, run) =>
      once(`difference ${metric.key} ${run}`, () => differenceOf(metric, [read(metric, 0), read(metric, run)], match, run)),
  };
}

function valueOf(metric, read, match, run) {
  const at = match.pairs.flatMap((pair) => pair.at[run]);
  const of = match.pairs.length;
  const values = Float64Array.from(match.pairs.map((pair) => meanAt(read, pair.at[run])).filter((value) => !Number.isNaN(value))).sort();
  const total = values.reduce((sum, value) => sum + value, 0);
  const n = values.length;
  const whole = n > 0 && n === of;
  const made = { value: null, n, of, est: at.some((i) => read.est[i]), reason: null, bound: null, low: null, high: null };
  made.p95 = quantile(values, 0.95);
  made.total = whole ? total : null;
  if (!n || (metric.key === 'cost' && !whole)) return unknownValue(made, metric, read, at);
  if (metric.statistic === 'median') return { ...made, value: quantile(values, 0.5) };
  if (metric.statistic === 'mean') return { ...made, value: total / n, ...rangeOf(read, at) };
  const [low, high] = wilson(total / n, n);
  return { ...made, value: (100 * total) / n, low: 100 * low, high: 100 * high };
}

/** What no test tells by itself may be known of the run; it is its tests' only where all of them are compared. */
function wholeRun(metric, value, row, match, run) {
  if (value.n || !row || !metric.ofRun || match.matched[run] !== match.executions[run]) return value;
  const told = metric.ofRun(row);
  if (told.value === null || told.value === undefined) return { ...value, reason: told.reason ?? value.reason };
  return { ...value, value: told.value, est: Boolean(told.est), low: told.low ?? null, high: told.high ?? null, reason: null };
}

/** A mean of what is known would pass for the mean of all, so a sum with gaps is told as a bound. */
function unknownValue(made, metric, read, at) {
  const gaps = at.filter((i) => read.reasons.has(i));
  const first = gaps.length ? read.reasons.get(gaps[0]) : 'no test in common';
  const told = gaps.length > 1 || made.n ? `${first.split(':')[0]} in ${gaps.length} of ${at.length}` : first;
  const known = metric.key === 'cost' ? at.reduce((sum, i) => sum + read.known[i], 0) / at.length : 0;
  return { ...made, reason: gaps.length === at.length ? first.split(':')[0] : told, bound: known > 0 ? known : null };
}

function rangeOf(read, at) {
  if (!at.some((i) => read.est[i] && read.low[i] !== read.high[i])) return {};
  const mean = (ends) => at.reduce((sum, i) => sum + (Number.isNaN(ends[i]) ? 0 : ends[i]), 0) / at.length;
  return { low: mean(read.low), high: mean(read.high) };
}

function differenceOf(metric, [first, second], match, run) {
  const sums = sumsOf(match, first, second, run);
  const found = { n: sums.counts.length, pairs: sums.pairs, p: null, method: null, reason: null, ...changes(metric, sums) };
  const none = { difference: null, interval: null, ratio: null, ratioInterval: null };
  if (!found.n) return { ...found, ...none, verdict: 'unknown', reason: whyUnknown(match, first, second, run) };
  const measured = metric.statistic === 'rate' ? rates(sums) : metric.statistic === 'mean' ? means(sums) : medians(sums);
  const made = { ...found, ...none, ...measured };
  return { ...made, ...verdictOf(metric, made, sums) };
}

/** Both runs' values over the pairs that have both, by test. */
function sumsOf(match, first, second, run) {
  const tests = new Map();
  const cases = new Map();
  const made = { pairs: 0, est: [0, 0] };
  for (const pair of match.pairs) {
    const one = meanAt(first, pair.at[0]);
    const two = meanAt(second, pair.at[run]);
    if (Number.isNaN(one) || Number.isNaN(two)) continue;
    made.pairs += 1;
    if (pair.at[0].some((i) => first.est[i])) made.est[0] += 1;
    if (pair.at[run].some((i) => second.est[i])) made.est[1] += 1;
    if (!tests.has(pair.test)) tests.set(pair.test, [[], []]);
    tests.get(pair.test)[0].push(one);
    tests.get(pair.test)[1].push(two);
    cases.set(pair.case, (cases.get(pair.case) ?? 0) + two - one);
  }
  const groups = [...tests.values()];
  const of = (pick) => Float64Array.from(groups, pick);
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  return {
    ...made,
    cases,
    groups,
    counts: of(([one]) => one.length),
    first: of(([one]) => total(one)),
    second: of(([, two]) => total(two)),
  };
}

function meanAt(read, indexes) {
  let sum = 0;
  for (const i of indexes) sum += read.values[i];
  return sum / indexes.length;
}

function changes(metric, sums) {
  const sign = metric.better === 'less' ? -1 : 1;
  let improved = 0;
  let regressed = 0;
  for (const change of sums.cases.values()) {
    if (change * sign > 1e-12) improved += 1;
    else if (change * sign < -1e-12) regressed += 1;
  }
  return { improved, regressed };
}

function rates({ counts, first, second }) {
  const { difference, low, high } = pairedInterval(counts, first, second);
  const p = signFlipTest(first.map((value, i) => second[i] - value));
  return {
    difference: 100 * difference,
    interval: [100 * low, 100 * high],
    p,
    method: 'Newcombe’s paired score interval, exact McNemar test by test',
  };
}

function means({ counts, first, second }) {
  const [n, one, two] = [counts, first, second].map((each) => each.reduce((sum, value) => sum + value, 0));
  return { difference: (two - one) / n, ratio: one > 0 ? two / one : null, ...intervals(meanIntervals({ counts, first, second })) };
}

function medians({ groups }) {
  const [one, two] = [0, 1].map((side) => quantile(groups.flatMap((group) => group[side]).sort((a, b) => a - b), 0.5));
  const [first, second] = [0, 1].map((side) => groups.map((group) => group[side]));
  return { difference: two - one, ratio: one > 0 ? two / one : null, ...intervals(medianIntervals(first, second)) };
}

function intervals(found) {
  return found ? { interval: found.difference, ratioInterval: found.ratio, method: found.method } : {};
}

/** An estimate against a measurement gets no verdict: their gap may be all of the difference. */
function verdictOf(metric, made, sums) {
  const [one, two] = sums.est;
  if (one !== two || (one > 0 && one < made.pairs)) {
    return { verdict: 'mixed', reason: one > two ? 'baseline est.' : two > one ? 'est. here' : 'partly est.' };
  }
  if (!sums.first.some((value, i) => value !== sums.second[i])) return { verdict: 'same' };
  if (made.n < FEWEST_TESTS || !made.interval) return { verdict: 'few' };
  const [low, high] = made.interval;
  const apart = (low > 0 || high < 0) && (made.p === null || made.p < LEVEL);
  if (!apart) return { verdict: 'none' };
  const more = made.difference > 0;
  if (!metric.better) return { verdict: more ? 'more' : 'fewer' };
  return { verdict: more === (metric.better === 'more') ? 'better' : 'worse' };
}

function whyUnknown(match, first, second, run) {
  if (!match.pairs.length) return 'no test in common';
  const reason = (read, side) => match.pairs.flatMap((pair) => pair.at[side]).map((i) => read.reasons.get(i)).find(Boolean);
  const [one, two] = [reason(first, 0), reason(second, run)].map((text) => text?.split(':')[0]);
  if (one && two) return one === two ? one : `${one} in the baseline, ${two} here`;
  return one ? `${one} in the baseline` : two ?? 'unknown';
}
