import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as f from '../../../src/smoltrace/viewer/static/js/model/format.js';

/** @param {string} name @param {(value: any) => any} write @param {[any, any][]} cases */
function table(name, write, cases) {
  for (const [value, wanted] of cases) test(`${name}(${value}) is ${wanted}`, () => assert.equal(write(value), wanted));
}

const UNKNOWN = [[null, null], [undefined, null], [NaN, null], [Infinity, null], [-Infinity, null], ['12', null]];

table('money', f.money, [
  ...UNKNOWN, [0, '$0.00'], [1.236, '$1.24'], [0.14, '$0.14'], [0.0153, '$0.015'], [0.01, '$0.010'], [0.00996, '$0.010'], [0.0994, '$0.099'], [0.0996, '$0.10'], [0.0099, '$0.0099'], [0.008, '$0.0080'], [0.00994, '$0.0099'],
  [0.0038, '$0.0038'], [0.00092, '$0.00092'], [0.000071, '$0.000071'], [0.00004, '$0.000040'], [0.000999, '$0.0010'], [1.4e-9, '$0.0000000014'],
  [1e-15, '< $0.000000000001'], [-1e-15, '> −$0.000000000001'], [-0.0038, '−$0.0038'], [-12.5, '−$12.50'], [1234.5, '$1\u2009234.50'], [1234567.891, '$1\u2009234\u2009567.89'], [-0.0000001, '−$0.00000010'],
]);
table('moneyPlain', f.moneyPlain, [[null, null], [0, '0.00'], [0.0038, '0.0038'], [-2, '−2.00']]);
table('percent', f.percent, [
  ...UNKNOWN, [0, '0.0'], [100, '100.0'], [93.333, '93.3'], [99.97, '99.9'], [0.02, '0.1'], [50, '50.0'], [79.54545454545455, '79.5'], [-3.25, '−3.3'],
]);
table('interval', ([low, high]) => f.interval(low, high), [
  [[88.2, 96.31], '88.2–96.3'], [[0, 100], '0.0–100.0'], [[null, 5], null], [[5, undefined], null],
]);
table('duration', f.duration, [
  ...UNKNOWN, [0, '0 ms'], [0.0000001, '< 0.001 ms'], [0.05, '0.050 ms'], [0.42, '0.42 ms'], [0.996, '1.0 ms'], [3.24, '3.2 ms'], [9.96, '10 ms'], [950, '950 ms'], [999.4, '999 ms'], [999.6, '1.0 s'],
  [12_300, '12.3 s'], [59_940, '59.9 s'], [59_960, '1 m 00 s'], [60_000, '1 m 00 s'], [245_000, '4 m 05 s'], [3_599_400, '59 m 59 s'], [3_599_600, '1 h 00 m'],
  [7_380_000, '2 h 03 m'], [86_369_000, '23 h 59 m'], [86_399_000, '1 d 00 h'], [86_400_000, '1 d 00 h'], [273_600_000, '3 d 04 h'], [-2700, '−2.7 s'],
]);
table('tokens', f.tokens, [
  ...UNKNOWN, [0, '0'], [402, '402'], [999, '999'], [999.4, '999'], [999.5, '1.0k'], [1842, '1.8k'], [12_345, '12.3k'], [999_949, '999.9k'], [999_950, '1.0M'],
  [1_200_000, '1.2M'], [999_950_000, '1.0G'], [-4300, '−4.3k'],
]);
table('count', f.count, [
  ...UNKNOWN, [0, '0'], [7, '7'], [999, '999'], [1842, '1\u2009842'], [100_000, '100\u2009000'], [1234567, '1\u2009234\u2009567'], [4.24, '4.2'], [-1500, '−1\u2009500'], [-0.01, '0.0'],
]);
table('wh', f.wh, [
  ...UNKNOWN, [0, '0.00 Wh'], [0.42, '0.42 Wh'], [0.0042, '0.0042 Wh'], [0.00996, '0.01 Wh'], [0.996, '1.0 Wh'], [17.83, '17.8 Wh'], [99.96, '100 Wh'], [812.4, '812 Wh'], [999.6, '1.0 kWh'], [1234, '1.2 kWh'],
]);
table('grams', f.grams, [...UNKNOWN, [1.8, '1.8 g'], [0.07, '0.07 g'], [0.0000234, '0.000023 g'], [2400, '2.4 kg'], [1e-12, '< 0.000000001 g']]);
table('ratio', f.ratio, [...UNKNOWN, [4.131, '× 4.13'], [0.126, '× 0.13'], [0, '× 0.00'], [9.996, '× 10.0'], [12.42, '× 12.4'], [120.3, '× 120'], [0.0042, '× 0.0042'], [1e-9, '× < 0.000001']]);
table('bytes', f.bytes, [...UNKNOWN, [0, '0 B'], [950, '950 B'], [999.6, '1.0 kB'], [12_345, '12.3 kB'], [999_950, '1.0 MB'], [1.2e9, '1.2 GB']]);
table('clock', f.clock, [...UNKNOWN, [0, '0:00'], [7_900, '0:07'], [749_000, '12:29'], [3_749_000, '1:02:29'], [-7_000, '−0:07']]);

test('a difference is signed with a true minus, and nothing has no sign', () => {
  assert.equal(f.difference(4.7, 'percent'), '+4.7 pp');
  assert.equal(f.difference(-10, 'pp'), '−10.0 pp');
  assert.equal(f.difference(-2700, 'duration'), '−2.7 s');
  assert.equal(f.difference(4321, 'tokens'), '+4.3k');
  assert.equal(f.difference(0.15, 'wh'), '+0.15');
  assert.equal(f.difference(-0.2, 'number'), '−0.2');
  assert.equal(f.difference(3, 'count'), '+3');
  assert.equal(f.difference(-0.0012, 'money'), '−$0.0012');
  assert.equal(f.difference(0, 'percent'), '0.0 pp');
  assert.equal(f.difference(-0.001, 'percent'), '0.0 pp');
  assert.equal(f.difference(0.126, 'ratio'), '× 0.13');
  assert.equal(f.difference(null, 'percent'), null);
});

test('an axis of time has as few decimals as it needs, and one unit', () => {
  assert.deepEqual([0, 5000, 10_000, 15_000].map((ms) => f.durationAxis(ms, 5000)), ['0', '5 s', '10 s', '15 s']);
  assert.deepEqual([500, 1000, 1500].map((ms) => f.durationAxis(ms)), ['500 ms', '1 s', '1.5 s']);
  assert.deepEqual([300_000, 1_200_000].map((ms) => f.durationAxis(ms, 300_000)), ['5 min', '20 min']);
  assert.equal(f.durationAxis(100_000), '100 s');
  assert.equal(f.durationAxis(100_000, 10_000), '100 s');
  assert.equal(f.durationAxis(14_400_000, 7_200_000), '4 h');
  assert.deepEqual([200, 1000, 1200].map((ms) => f.durationAxis(ms, 200)), ['0.2 s', '1 s', '1.2 s']);
  assert.deepEqual([30_000, 60_000, 90_000].map((ms) => f.durationAxis(ms, 30_000)), ['0.5 min', '1 min', '1.5 min']);
  assert.deepEqual([20, 40].map((ms) => f.durationAxis(ms, 20)), ['20 ms', '40 ms']);
  assert.deepEqual([59_000, 180_000, 7_200_000].map((ms) => f.durationAxis(ms)), ['59 s', '3 min', '2 h']);
  assert.equal(f.durationAxis(null), null);
});

test('dates name the year only where it is another one', () => {
  const now = new Date(2025, 10, 20).getTime();
  const day = new Date(2025, 10, 18, 16, 4, 7).getTime();
  assert.equal(f.date(day, {now}), '18 Nov');
  assert.equal(f.dateTime(day, {now}), '18 Nov 16:04');
  assert.equal(f.dateTime(day, {now, seconds: true}), '18 Nov 16:04:07');
  assert.equal(f.dateTime(new Date(2024, 0, 2, 3, 4).getTime(), {now}), '2 Jan 2024 03:04');
  assert.equal(f.date(null), null);
  assert.equal(f.dateTime(1e20), null);
});

test('no number of any size is written in powers of ten, and none longer than 32 characters', () => {
  for (let power = -18; power <= 15; power += 1) {
    for (const value of [1, 1.5, 9.99, -9.996].map((digits) => digits * 10 ** power)) {
      for (const write of [f.money, f.duration, f.tokens, f.wh, f.grams, f.ratio, f.count]) {
        const text = write(value);
        assert.ok(text !== null && !/e[+-]?\d/.test(text) && text.length <= 32, `${write.name}(${value}) = ${text}`);
      }
    }
  }
});

test('larger values are never written as smaller ones', () => {
  const money = (text) => Number(text.replace(/[$\u2009]/g, ''));
  let before = 0;
  for (let value = 1e-6; value < 100; value *= 1.003) {
    const shown = money(f.money(value));
    assert.ok(shown >= before, `${value} is shown as ${shown} after ${before}`);
    before = shown;
  }
});
