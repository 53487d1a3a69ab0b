import { test } from 'node:test';
import assert from 'node:assert/strict';
import { medianIntervals, meanIntervals } from '../../../src/smoltrace/viewer/static/js/model/bootstrap.js';
import { matchedBy, matchTests } from '../../../src/smoltrace/viewer/static/js/model/match.js';
import { METRICS } from '../../../src/smoltrace/viewer/static/js/model/metrics.js';
import { comparison } from '../../../src/smoltrace/viewer/static/js/model/paired.js';
import { pairedInterval, signFlipTest } from '../../../src/smoltrace/viewer/static/js/model/proportions.js';
import { normalCdf, quantile, tQuantile, wilson } from '../../../src/smoltrace/viewer/static/js/model/statistics.js';
import { random } from './support/traces.js';
import { run, twoByTwo } from './support/runs.js';

const metric = (key) => METRICS.find((one) => one.key === key);
const near = (found, wanted, by = 1e-6) => assert.ok(Math.abs(found - wanted) <= by, `${found} is not ${wanted}`);
const compare = (...runs) => comparison(runs, matchTests(runs));
const repeated = (n, make) => Array.from({ length: n }, (_, i) => make(i));

test('quantiles of t and the normal distribution are those of the tables', () => {
  const table = { 1: 12.7062, 2: 4.30265, 3: 3.18245, 4: 2.77645, 5: 2.57058, 10: 2.22814, 30: 2.04227, 100: 1.98397, 1000: 1.96234 };
  for (const [df, wanted] of Object.entries(table)) near(tQuantile(Number(df)), wanted, 2e-4);
  for (const [x, wanted] of [[-3, 0.0013499], [-1.96, 0.0249979], [0, 0.5], [1, 0.8413447], [2.5, 0.9937903]]) near(normalCdf(x), wanted, 2e-7);
});

test('the Wilson interval is that of the published example, 81 of 263', () => {
  const [low, high] = wilson(81 / 263, 263);
  near(low, 0.2553, 5e-5);
  near(high, 0.3662, 5e-5);
  assert.deepEqual([wilson(0, 10)[0], wilson(1, 10)[1], wilson(0.5, 0)], [0, 1, null]);
});

test('a percentile lies between its neighbours in proportion', () => {
  assert.deepEqual([quantile([1, 2, 3, 4], 0.5), quantile([5], 0.95), quantile([], 0.5), quantile([0, 10], 0.25)], [2.5, 5, null, 2.5]);
});

// (both, only first, only second, neither) and Newcombe's limits by his own formula of the four counts; the first two are published.
const TABLES = [
  [[36, 12, 2, 0], 0.2, 0.056929584, 0.340427603],
  [[14, 5, 0, 22], 0.1219512195, 0.0114832414, 0.2264926844],
  [[212, 144, 256, 707], -0.0849128127, -0.1141915328, -0.0554334727],
  [[20, 1, 9, 10], -0.2, -0.3382098754, -0.0472966528],
  [[3, 4, 2, 1], 0.2, -0.2429279136, 0.5583625974],
  [[100, 4, 11, 35], -0.0466666667, -0.0990921643, 0.0053297425],
];

for (const [counts, difference, low, high] of TABLES) {
  test(`the difference of success rates of ${counts} has Newcombe's interval`, () => {
    const found = compare(...twoByTwo(...counts)).difference(metric('success'), 1);
    near(found.difference, -100 * difference);
    near(found.interval[0], -100 * high);
    near(found.interval[1], -100 * low);
    assert.deepEqual([found.improved, found.regressed, found.n], [counts[2], counts[1], counts.reduce((a, b) => a + b)]);
  });
}

test('the sign-flip test with one pair a test is the exact McNemar test', () => {
  const p = (first, second) => signFlipTest([...repeated(first, () => -1), ...repeated(second, () => 1), 0, 0]);
  const known = [[12, 2, 0.012939453125], [4, 11, 0.11846923828125], [6, 21, 0.005924612283706665], [5, 5, 1], [150, 144, 0.7706460868062105]];
  for (const [first, second, wanted] of known) near(p(first, second), wanted, 1e-12);
  assert.equal(signFlipTest([]), 1);
});

test('the sign-flip test counts all sign patterns, whatever the sizes', () => {
  const next = random(3);
  for (let round = 0; round < 60; round += 1) {
    const values = repeated(1 + Math.floor(next() * 8), () => Math.floor(next() * 7 - 3) / 2);
    near(signFlipTest(values), byCounting(values), 1e-9);
  }
});

function byCounting(values) {
  const sizes = values.map(Math.abs);
  const observed = Math.abs(values.reduce((a, b) => a + b, 0));
  let as = 0;
  for (let signs = 0; signs < 2 ** sizes.length; signs += 1) {
    const sum = sizes.reduce((total, size, i) => total + (signs & (1 << i) ? size : -size), 0);
    if (Math.abs(sum) >= observed - 1e-9) as += 1;
  }
  return as / 2 ** sizes.length;
}

test('very many tests are tested by the normal approximation, which agrees with the exact one', () => {
  const many = [...repeated(5200, () => 1), ...repeated(4900, () => -1)];
  near(signFlipTest(many), 0.0029, 2e-4);
});

test('swapping the runs mirrors every difference, and an interval always holds its difference', () => {
  const next = random(11);
  for (let round = 0; round < 80; round += 1) {
    const counts = repeated(2 + Math.floor(next() * 30), () => 1 + Math.floor(next() * 3));
    const successes = () => counts.map((k) => Math.floor(next() * (k + 1)));
    const [a, b] = [successes(), successes()];
    const [there, back] = [pairedInterval(counts, a, b), pairedInterval(counts, b, a)];
    near(there.difference, -back.difference, 1e-12);
    near(there.low, -back.high, 1e-9);
    assert.ok(there.low <= there.difference + 1e-12 && there.difference <= there.high + 1e-12);
    assert.ok(there.low >= -1 - 1e-9 && there.high <= 1 + 1e-9);
  }
});

test('repeating each test with the same outcome makes the interval no narrower', () => {
  const [first, second] = [[1, 0, 1, 1, 0, 1, 0, 1], [1, 1, 0, 1, 0, 1, 1, 1]];
  const once = pairedInterval(first.map(() => 1), first, second);
  const thrice = pairedInterval(first.map(() => 3), first.map((x) => 3 * x), second.map((x) => 3 * x));
  assert.ok(thrice.high - thrice.low > (once.high - once.low) * 0.85);
});

test('the bootstrap is the same every time, near the t interval, and mirrors when the runs are swapped', () => {
  const next = random(5);
  const n = 80;
  const counts = new Float64Array(n).fill(1);
  const first = Float64Array.from(counts, () => 10 + next());
  const second = Float64Array.from(first, (value) => value + 0.5 + next());
  const found = meanIntervals({ counts, first, second });
  assert.deepEqual(found, meanIntervals({ counts, first, second }));
  const differences = Array.from(second, (value, i) => value - first[i]);
  const mean = differences.reduce((a, b) => a + b) / n;
  const deviation = Math.sqrt(differences.reduce((a, b) => a + (b - mean) ** 2, 0) / (n - 1) / n);
  near(found.difference[0], mean - tQuantile(n - 1) * deviation, 0.15 * deviation);
  near(found.difference[1], mean + tQuantile(n - 1) * deviation, 0.15 * deviation);
  const back = meanIntervals({ counts, first: second, second: first });
  near(back.difference[0], -found.difference[1], 1e-9);
});

test('with many tests the t interval takes over without a jump', () => {
  const next = random(8);
  const make = (n) => ({ counts: new Float64Array(n).fill(1), first: Float64Array.from({ length: n }, () => 5 + next()), second: Float64Array.from({ length: n }, () => 6 + next()) });
  const [few, many] = [meanIntervals(make(500)), meanIntervals(make(501))];
  assert.match(few.method, /bootstrap/);
  assert.match(many.method, /t interval/);
  near(few.difference[1] - few.difference[0], many.difference[1] - many.difference[0], 0.02);
  near(many.ratio[0], 1.18, 0.03);
});

test('the median of a resample is the median of its values', () => {
  const values = [[1], [2], [3], [4], [100]];
  const found = medianIntervals(values, values);
  assert.deepEqual(found.difference, [0, 0]);
  const shifted = medianIntervals(values, values.map(([value]) => [value + 7]));
  assert.deepEqual(shifted.difference, [7, 7]);
  assert.equal(medianIntervals([[1]], [[2]]), null);
});

test('executions are matched by test, kind of agent and attempt', () => {
  const first = run([{ id: 'a' }, { id: 'a', attempt: 2 }, { id: 'a', agent: 'code' }, { id: 'b' }]);
  const second = run([{ id: 'b' }, { id: 'a', attempt: 2 }, { id: 'a', agent: 'tool' }, { id: 'c' }]);
  const match = matchTests([first, second]);
  assert.equal(match.by, 'agent');
  assert.deepEqual(match.cases.map((one) => [one.key, one.attempts]), [['tool:a', [1, 2]], ['code:a', []], ['tool:b', [1]], ['tool:c', []]]);
  assert.deepEqual([match.pairs.length, match.testIds, match.matched, matchedBy(match)], [3, ['a', 'b'], [3, 3], 'test, kind of agent and attempt']);
});

test('runs that share no kind of agent are matched by test alone, and several kinds are averaged', () => {
  const tool = run([{ id: 'a', success: true }, { id: 'b', success: true }]);
  const code = run([{ id: 'a', agent: 'code', success: false }, { id: 'b', agent: 'code' }]);
  const both = run([{ id: 'a', success: true }, { id: 'a', agent: 'code', success: false }, { id: 'b' }]);
  const match = matchTests([tool, code, both]);
  assert.deepEqual([match.by, matchedBy(match), match.pairs.length], ['test', 'test', 2]);
  const numbers = comparison([tool, code, both], match);
  assert.equal(numbers.difference(metric('success'), 2).difference, -25);
  assert.equal(numbers.value(metric('success'), 2).value, 75);
});

test('a run without a test yet hides nothing of the others', () => {
  const match = matchTests([run([{ id: 'a' }]), run([])]);
  assert.deepEqual([match.by, match.pairs.length, match.cases.length], ['agent', 0, 1]);
  const found = comparison([run([{ id: 'a' }]), run([])], match).difference(metric('success'), 1);
  assert.deepEqual([found.verdict, found.reason, found.n, found.difference], ['unknown', 'no test in common', 0, null]);
});

test('costs are compared as a ratio, and a difference in every test is significant', () => {
  const found = compare(run(repeated(30, (i) => ({ id: `t${i}`, cost: 0.001 + i * 1e-5 }))), run(repeated(30, (i) => ({ id: `t${i}`, cost: 0.004 + i * 4e-5 })))).difference(metric('cost'), 1);
  near(found.ratio, 4);
  assert.equal(found.verdict, 'worse');
  assert.deepEqual([found.improved, found.regressed], [0, 30]);
  assert.ok(found.ratioInterval[0] <= 4 && found.ratioInterval[1] >= 4 && found.ratioInterval[1] - found.ratioInterval[0] < 1e-6);
});

test('an unknown price is no zero: the pair is left out, the mean becomes a bound', () => {
  const first = run(repeated(10, (i) => ({ id: `t${i}`, cost: i === 3 ? null : 0.002 })));
  const second = run(repeated(10, (i) => ({ id: `t${i}`, cost: 0.001 })));
  const numbers = compare(first, second);
  const value = numbers.value(metric('cost'), 0);
  assert.equal(value.value, null);
  near(value.bound, (9 * 0.002 + 0.001) / 10, 1e-12);
  assert.equal(value.reason, 'price unknown in 1 of 10');
  const found = numbers.difference(metric('cost'), 1);
  assert.deepEqual([found.n, found.verdict], [9, 'better']);
  near(found.ratio, 0.5);
});

test('a test that called no model cost nothing', () => {
  const none = { more: { _cost: { value: null, est: false, reason: 'no call to a model', bound: null, unpriced: null, calls: 0 } } };
  const value = compare(run([{ id: 'a', cost: 0.002 }, { id: 'b', ...none }]), run([{ id: 'a' }, { id: 'b' }])).value(metric('cost'), 0);
  near(value.value, 0.001, 1e-12);
});

test('an estimate against a measurement gets no verdict, two estimates do', () => {
  const runs = [{ est: true }, { est: false }, { est: true }].map(({ est }, r) => run(repeated(12, (i) => ({ id: `t${i}`, wh: (r + 1) * (1 + i / 10), est }))));
  const numbers = compare(...runs);
  const [measured, estimated] = [1, 2].map((r) => numbers.difference(metric('energy'), r));
  assert.deepEqual([measured.verdict, measured.reason], ['mixed', 'baseline est.']);
  assert.ok(measured.interval);
  assert.equal(estimated.verdict, 'worse');
  assert.equal(compare(runs[1], runs[0]).difference(metric('energy'), 1).reason, 'est. here');
});

test('what is unknown says why, and on which side', () => {
  const [known, unknown] = [run([{ id: 'a', wh: 1 }]), run([{ id: 'a', wh: null }])];
  const reason = (...runs) => compare(...runs).difference(metric('energy'), 1).reason;
  assert.deepEqual([reason(known, unknown), reason(unknown, known), reason(unknown, unknown)], ['no GPU', 'no GPU in the baseline', 'no GPU']);
});

test('too few tests get no verdict, however clear they look; equal ones are told as equal', () => {
  const make = (n, steps) => run(repeated(n, (i) => ({ id: `t${i}`, steps: steps + (i % 2) })));
  const verdict = (...runs) => compare(...runs).difference(metric('steps'), 1).verdict;
  assert.equal(verdict(make(5, 1), make(5, 9)), 'few');
  assert.equal(verdict(make(6, 1), make(6, 9)), 'worse');
  assert.equal(verdict(make(6, 1), make(6, 1)), 'same');
});

test('attempts of a test are one vote: three attempts of two tests are not six tests', () => {
  const make = (success) => run(repeated(6, (i) => ({ id: `t${i % 2}`, attempt: 1 + Math.floor(i / 2), success })));
  const found = compare(make(false), make(true)).difference(metric('success'), 1);
  assert.deepEqual([found.n, found.pairs, found.verdict, found.p], [2, 6, 'few', 0.5]);
});

test('more tool calls are neither better nor worse', () => {
  const [first, second] = [1, 2].map(() => run(repeated(8, (i) => ({ id: `t${i}` }))));
  first.columns._tool_calls = repeated(8, () => 1);
  second.columns._tool_calls = repeated(8, (i) => 3 + (i % 2));
  assert.equal(compare(first, second).difference(metric('calls'), 1).verdict, 'more');
});

test('what only the run tells stands for its tests only where all of them are compared', () => {
  const rows = [{ avg_tool_calls_per_test: 2 }, { avg_tool_calls_per_test: 3 }];
  const [both, one] = [run([{ id: 'a' }, { id: 'b' }]), run([{ id: 'a' }])];
  const numbers = comparison([both, one], matchTests([both, one]), rows);
  assert.deepEqual([numbers.value(metric('calls'), 0).value, numbers.value(metric('calls'), 1).value], [null, 3]);
  assert.equal(numbers.difference(metric('calls'), 1).verdict, 'unknown');
});

test('a run of very many tests is compared by the same rules', () => {
  const next = random(2);
  const make = (shift) => run(repeated(3000, (i) => ({ id: `t${i}`, success: next() < 0.7, ms: 100 + next() * 900 + shift })));
  const found = compare(make(0), make(200));
  const duration = found.difference(metric('duration'), 1);
  assert.equal(duration.verdict, 'worse');
  near(duration.difference, 200, 60);
  assert.equal(found.difference(metric('success'), 1).n, 3000);
});
