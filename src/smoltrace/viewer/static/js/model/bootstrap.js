/**
 * Intervals of the difference and the ratio of two runs' means or medians over the same tests.
 *
 * Data come as clusters, one a test: its number of pairs and the sums of both runs' values over them. Resampling whole
 * tests keeps what belongs together (attempts of a test, two kinds of agent on it) together.
 */
import {normalCdf, quantile, randomBits, tQuantile} from './statistics.js';

const RESAMPLES = 2000;
/** Above so many tests the t interval is as good and much quicker. */
const BOOTSTRAP_TESTS = 500;
const SEED = 0x5eed;
/** Draws that a median's bootstrap of very many tests may take: with more tests, fewer resamples. */
const MEDIAN_DRAWS = 4_000_000;

/**
 * @typedef {{counts: Float64Array, first: Float64Array, second: Float64Array}} Sums  by test: pairs, sums of values
 * @typedef {{difference: [number, number], ratio: [number, number] | null, method: string}} Intervals
 */

/**
 * The 95 % intervals of the difference (second − first) and of the ratio (second / first) of means.
 * @param {Sums} sums
 * @returns {Intervals | null} null below two tests
 */
export function meanIntervals(sums) {
  const tests = sums.counts.length;
  if (tests < 2) return null;
  return tests > BOOTSTRAP_TESTS ? tIntervals(sums) : bootstrapMeans(sums);
}

function bootstrapMeans({ counts, first, second }) {
  const tests = counts.length;
  const bits = randomBits(SEED);
  const differences = new Float64Array(RESAMPLES);
  const ratios = new Float64Array(RESAMPLES);
  const step = tests / 4294967296;
  for (let r = 0; r < RESAMPLES; r += 1) {
    let n = 0;
    let one = 0;
    let two = 0;
    for (let i = 0; i < tests; i += 1) {
      const at = (bits() * step) | 0;
      n += counts[at];
      one += first[at];
      two += second[at];
    }
    differences[r] = (two - one) / n;
    ratios[r] = one > 0 ? two / one : NaN;
  }
  return {
    difference: middle(differences, tests),
    ratio: ratios.some(Number.isNaN) ? null : middle(ratios, tests),
    method: `paired bootstrap, ${RESAMPLES} resamples of the tests`,
  };
}

/**
 * The middle 95 % of resampled values, widened for few tests as a t interval is: the expanded percentile interval of
 * Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015).
 */
function middle(values, tests) {
  const sorted = values.sort();
  const tail = normalCdf(-Math.sqrt(tests / (tests - 1)) * tQuantile(tests - 1));
  return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
}

/** Student's t on the sums by test, linearised as a ratio estimator is (Cochran, "Sampling techniques", 1977, ch. 6). */
function tIntervals({ counts, first, second }) {
  const tests = counts.length;
  const totals = [counts, first, second].map((each) => each.reduce((total, value) => total + value, 0));
  const difference = (totals[2] - totals[1]) / totals[0];
  const ratio = totals[1] > 0 ? totals[2] / totals[1] : null;
  let squares = 0;
  let ratioSquares = 0;
  for (let i = 0; i < tests; i += 1) {
    squares += (second[i] - first[i] - counts[i] * difference) ** 2;
    ratioSquares += ratio === null ? 0 : (second[i] - ratio * first[i]) ** 2;
  }
  const t = tQuantile(tests - 1) * Math.sqrt(tests / (tests - 1));
  const half = (t * Math.sqrt(squares)) / totals[0];
  // On the log scale a ratio is nearly symmetric; its relative error is that of the logarithm.
  const factor = ratio > 0 ? Math.exp((t * Math.sqrt(ratioSquares)) / totals[1] / ratio) : null;
  return {
    difference: [difference - half, difference + half],
    ratio: factor === null ? null : [ratio / factor, ratio * factor],
    method: 'paired t interval of the tests',
  };
}

/**
 * The 95 % interval of the difference of medians (second − first), by the same bootstrap.
 * @param {number[][]} first the baseline's values of each test
 * @param {number[][]} second the other run's, as many for each test
 * @returns {Intervals | null} null below two tests
 */
export function medianIntervals(first, second) {
  const tests = first.length;
  if (tests < 2) return null;
  const resamples = Math.min(RESAMPLES, Math.max(200, Math.floor(MEDIAN_DRAWS / tests)));
  const [one, two] = [ordered(first), ordered(second)];
  const bits = randomBits(SEED);
  const times = new Uint32Array(tests);
  const differences = new Float64Array(resamples);
  const ratios = new Float64Array(resamples);
  const step = tests / 4294967296;
  for (let r = 0; r < resamples; r += 1) {
    times.fill(0);
    for (let i = 0; i < tests; i += 1) times[Math.floor(bits() * step)] += 1;
    const [a, b] = [median(one, times), median(two, times)];
    differences[r] = b - a;
    ratios[r] = a > 0 ? b / a : NaN;
  }
  return {
    difference: middle(differences, tests),
    ratio: ratios.some(Number.isNaN) ? null : middle(ratios, tests),
    method: `paired bootstrap of the median, ${resamples} resamples of the tests`,
  };
}

/** All values ascending, each with the test it belongs to: a resample is then one walk, without sorting. */
function ordered(groups) {
  const pairs = groups.flatMap((values, test) => values.map((value) => [value, test]));
  pairs.sort((a, b) => a[0] - b[0]);
  return { values: Float64Array.from(pairs, (pair) => pair[0]), tests: Uint32Array.from(pairs, (pair) => pair[1]) };
}

function median({ values, tests }, times) {
  let total = 0;
  for (let i = 0; i < tests.length; i += 1) total += times[tests[i]];
  const below = (total - 1) >> 1;
  let seen = 0;
  let low = NaN;
  for (let i = 0; i < values.length; i += 1) {
    const many = times[tests[i]];
    if (!many) continue;
    if (seen <= below && below < seen + many) low = values[i];
    if (total >> 1 < seen + many) return (low + values[i]) / 2;
    seen += many;
  }
  return low;
}
