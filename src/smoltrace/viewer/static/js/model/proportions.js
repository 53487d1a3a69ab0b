/**
 * Two success rates over the same tests: the interval of their difference, and an exact test of it.
 *
 * Data come as clusters: one a test, each with the number of its pairs (attempts, kinds of agent) and what succeeded
 * in either run. With one pair a test both methods are the textbook ones.
 */
import {normalCdf, wilson} from './statistics.js';

/** Steps of the exact distribution that are worth their time; beyond, the normal approximation is as good. */
const EXACT_STEPS = 20_000_000;

/**
 * The 95 % interval of the difference of two paired proportions: Newcombe, "Improved confidence intervals for the
 * difference between binomial proportions based on paired data", Statistics in Medicine 17 (1998), method 10: the
 * Wilson intervals of both, joined by their correlation.
 *
 * Where a test has several pairs, each Wilson interval is taken at the effective number of its rate, p(1 − p) divided
 * by the variance between clusters (Rao and Scott, "A simple method for the analysis of clustered binary data",
 * Biometrics 48, 1992), never more than the number of pairs. With one pair a test that is the number of tests.
 * @param {ArrayLike<number>} pairs pairs of each test
 * @param {ArrayLike<number>} first successes of the baseline in each test, 0 to its pairs
 * @param {ArrayLike<number>} second successes of the other run
 * @returns {{difference: number, low: number, high: number} | null} second − first, −1 to 1; null without a pair
 */
export function pairedInterval(pairs, first, second) {
  const tests = pairs.length;
  const total = sum(pairs);
  if (!total) return null;
  const rates = [sum(first) / total, sum(second) / total];
  const spread = deviations(pairs, [first, second], rates);
  const [one, two] = rates.map((rate, i) => wilson(rate, effective(rate, spread[i] / total ** 2, tests, total)));
  const phi = correlation(spread, tests);
  const difference = rates[1] - rates[0];
  const down = [rates[1] - two[0], one[1] - rates[0]];
  const up = [two[1] - rates[1], rates[0] - one[0]];
  return { difference, low: difference - joined(down, phi), high: difference + joined(up, phi) };
}

/** Sums over the clusters: squares of the first, squares of the second, products, of what differs from the rate. */
function deviations(pairs, counts, rates) {
  const sums = [0, 0, 0];
  for (let i = 0; i < pairs.length; i += 1) {
    const one = counts[0][i] - pairs[i] * rates[0];
    const two = counts[1][i] - pairs[i] * rates[1];
    sums[0] += one * one;
    sums[1] += two * two;
    sums[2] += one * two;
  }
  return sums;
}

function effective(rate, variance, tests, total) {
  const binomial = rate * (1 - rate);
  if (binomial <= 0) return tests; // nothing varies: only the tests themselves are surely independent
  return variance > 0 ? Math.min(total, binomial / variance) : total;
}

/** Newcombe's φ: a positive one is drawn towards 0 by half a test, for its table of whole numbers is coarse. */
function correlation([ones, twos, products], tests) {
  const scale = Math.sqrt(ones * twos);
  if (!(scale > 0)) return 0;
  const corrected = products > 0 ? Math.max(0, products - 0.5) : products;
  return tests > 1 ? Math.min(1, Math.max(-1, corrected / scale)) : 0;
}

function joined([a, b], phi) {
  return Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
}

/**
 * The two-sided p of "no difference", exact: each test's difference might as well have had the other sign (Fisher's
 * randomisation test, "The design of experiments", 1935). With one pair a test this is the exact McNemar test, the
 * sign test of the tests that changed.
 * @param {ArrayLike<number>} differences of each test, in units that are whole or halves or the like
 * @returns {number} 0 to 1; 1 where nothing changed
 */
export function signFlipTest(differences) {
  const weights = whole(Array.from(differences).filter((value) => value !== 0));
  if (!weights.length) return 1;
  const observed = Math.abs(sum(weights));
  const sizes = weights.map(Math.abs);
  const reach = sum(sizes);
  if (sizes.length * reach > EXACT_STEPS) return normalTail(observed, sizes);
  return observed === 0 ? 1 : Math.min(1, 2 * upperTail(sizes, reach, observed));
}

/** Halves, thirds and so on as whole numbers: the smallest factor up to 60 that does it, else 1/1000ths. */
function whole(values) {
  for (let factor = 1; factor <= 60; factor += 1) {
    const scaled = values.map((value) => value * factor);
    if (scaled.every((value) => Math.abs(value - Math.round(value)) < 1e-9)) return scaled.map(Math.round);
  }
  return values.map((value) => Math.round(value * 1000)).filter((value) => value !== 0);
}

/** P(sum of ±sizes ≥ observed), by the distribution of the sum of those with a plus: 2·plus − reach ≥ observed. */
function upperTail(sizes, reach, observed) {
  let chances = new Float64Array(reach + 1);
  let next = new Float64Array(reach + 1);
  chances[0] = 1;
  let top = 0;
  for (const size of sizes) {
    next.fill(0, 0, top + size + 1);
    for (let at = 0; at <= top; at += 1) {
      const half = 0.5 * chances[at];
      next[at] += half;
      next[at + size] += half;
    }
    top += size;
    [chances, next] = [next, chances];
  }
  let tail = 0;
  for (let plus = reach; 2 * plus - reach >= observed; plus -= 1) tail += chances[plus];
  return tail;
}

function normalTail(observed, sizes) {
  const deviation = Math.sqrt(sizes.reduce((total, size) => total + size * size, 0));
  const z = Math.max(0, observed - 1) / deviation;
  return Math.min(1, 2 * normalCdf(-z));
}

function sum(values) {
  let total = 0;
  for (let i = 0; i < values.length; i += 1) total += values[i];
  return total;
}
