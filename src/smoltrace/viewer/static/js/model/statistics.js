/**
 * The few statistics that comparisons rest on. Pure, and the same in the browser and under node.
 */

/** The 97.5 % quantile of the standard normal distribution. */
const Z_95 = 1.959963984540054;

/**
 * The 95 % score interval of a proportion (Wilson, "Probable inference, the law of succession, and statistical
 * inference", JASA 22, 1927). `n` need not be whole: clustered data come with an effective number.
 * @param {number} p proportion, 0 to 1
 * @param {number} n how many it was counted over
 * @returns {[number, number] | null} within 0 to 1; null for n = 0
 */
export function wilson(p, n) {
  if (!(n > 0)) return null;
  const square = Z_95 * Z_95;
  const centre = (p + square / (2 * n)) / (1 + square / n);
  const half = (Z_95 * Math.sqrt((p * (1 - p)) / n + square / (4 * n * n))) / (1 + square / n);
  return [p <= 0 ? 0 : Math.max(0, centre - half), p >= 1 ? 1 : Math.min(1, centre + half)];
}

/**
 * The 97.5 % quantile of Student's t (Hill, "Algorithm 396: Student's t-quantiles", CACM 13, 1970).
 * @param {number} df degrees of freedom, at least 1
 */
export function tQuantile(df) {
  const p = 0.05; // both tails together
  if (df === 1) return Math.cos((p * Math.PI) / 2) / Math.sin((p * Math.PI) / 2);
  if (df === 2) return Math.sqrt(2 / (p * (2 - p)) - 2);
  const a = 1 / (df - 0.5);
  const b = 48 / (a * a);
  let c = (((20700 * a) / b - 98) * a - 16) * a + 96.36;
  const d = ((94.5 / (b + c) - 3) / b + 1) * Math.sqrt((a * Math.PI) / 2) * df;
  let y = (d * p) ** (2 / df);
  if (y > 0.05 + a) {
    const x = -Z_95;
    y = x * x;
    if (df < 5) c += 0.3 * (df - 4.5) * (x + 0.6);
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x;
    y = Math.expm1(a * y * y);
  } else {
    const inner = (1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4)) * y - 1;
    y = (inner * (df + 1)) / (df + 2) + 1 / y;
  }
  return Math.sqrt(df * y);
}

/**
 * The standard normal distribution function, relative error below 1.2e-7 (complementary error function by Chebyshev
 * fitting: Press et al., "Numerical Recipes", 2nd edition, 6.2).
 */
export function normalCdf(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const terms = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196];
  let sum = terms[0];
  for (const term of terms.slice(1)) sum = sum * t + term;
  const tail = 0.5 * t * Math.exp(-z * z - 1.26551223 + t * (1.00002368 + t * sum));
  return x > 0 ? 1 - tail : tail;
}

/**
 * A quantile of sorted numbers, linear between the two nearest, as `percentile` in the Parquet columns.
 * @param {ArrayLike<number>} sorted ascending
 * @param {number} q 0 to 1
 */
export function quantile(sorted, q) {
  if (!sorted.length) return null;
  const position = (sorted.length - 1) * Math.min(1, Math.max(0, q));
  const below = Math.floor(position);
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, sorted.length - 1)];
  return low + (high - low) * (position - below);
}

/**
 * Numbers that look random and are the same on every machine (mulberry32).
 * @param {number} seed 32 bits
 * @returns {() => number} 32 bits, unsigned
 */
export function randomBits(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}
