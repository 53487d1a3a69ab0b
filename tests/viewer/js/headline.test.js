import {test} from 'node:test';
import assert from 'node:assert/strict';
import {grams, money, wh} from '../../../src/smoltrace/viewer/static/js/model/format.js';
import {facts, flat, headlines, standing} from '../../../src/smoltrace/viewer/static/js/model/headline.js';

function run(row = {}, more = {}) {
  const nothing = {num_tests: 44, success_rate: 52.27, success_rate_ci_low: 37.9, success_rate_ci_high: 66.2, total_cost_usd: null, cost_known_usd: null,
    electricity_cost_usd: null, total_gpu_energy_wh: null, energy_estimated_wh_min: null, co2_emissions_g: null, co2_estimated_g_min: null,
    wall_time_ms: 250449, p50_duration_ms: 3500, p95_duration_ms: 11715, total_tokens: 225413, total_prompt_tokens: 221953, total_completion_tokens: 3460,
    failed_tests: 21, unpriced_calls: 0};
  return {run_id: 'r', row: {...nothing, ...row}, _status: 'completed', _finished: 44, _planned: 44, manifest: {}, reasons: {}, errors: [], statuses: {}, ...more};
}
const line = (key, ...given) => headlines(run(...given)).find((each) => each.key === key);

test('success has its interval and how many tests it is of', () => {
  const {text, unit, note} = line('success');
  assert.deepEqual([text, unit, note], ['52.3', '%', '37.9–66.2, n 44']);
  assert.equal(line('success', {num_tests: 0, success_rate: null}).text, null);
});

test('a known cost is told as it is', () => {
  const {text, est, bound, note} = line('cost', {total_cost_usd: 1.24, avg_cost_per_test_usd: 0.028});
  assert.deepEqual([text, est, bound, note], [money(1.24), false, false, `${money(0.028)} a test`]);
});

test('a cost with gaps is a bound, and says how many calls it lacks', () => {
  const {text, bound, note} = line('cost', {cost_known_usd: 0.186, unpriced_calls: 15, _cost: {kind: 'unknown', calls: 67}});
  assert.deepEqual([text, bound, note], [money(0.186), true, '15 of 67 calls unpriced']);
});

test('an unknown cost is a dash with its reason, never 0', () => {
  const {text, why} = line('cost', {cost_known_usd: 0, unpriced_calls: 3}, {reasons: {cost: 'price unknown: 3 of 3 calls'}});
  assert.deepEqual([text, why], [null, 'price unknown: 3 of 3 calls']);
});

test('on own hardware the cost is that of electricity, an estimate at a price', () => {
  const manifest = {footprint: {power_price_usd_per_kwh: '0.12'}};
  const {text, est, note} = line('cost', {total_cost_usd: 0, electricity_cost_usd: 0.00045, _cost: {kind: 'electricity'}}, {manifest});
  assert.deepEqual([text, est, note], [money(0.00045), true, `electricity, ${money(0.12)}/kWh`]);
});

test('measured energy, estimated energy and none are told apart', () => {
  const measured = line('energy', {total_gpu_energy_wh: 3.757, gpu_energy_idle_wh: 1.18});
  assert.deepEqual([`${measured.text} ${measured.unit}`, measured.est, measured.exact], [wh(3.757), false, '3.757 Wh']);
  const estimated = line('energy', {energy_estimated_wh_min: 0.8, energy_estimated_wh_max: 1.4, energy_estimate_method: 'ecologits'});
  assert.deepEqual([`${estimated.text} ${estimated.unit}`, estimated.est], [`${wh(0.8).replace(' Wh', '')}–${wh(1.4)}`, true]);
  const none = line('energy', {}, {reasons: {energy: 'no GPU'}});
  assert.deepEqual([none.text, none.why], [null, 'no GPU']);
});

test('emissions bear the intensity and the grid they were reckoned with', () => {
  const manifest = {footprint: {country: 'FRA', carbon_intensity_g_per_kwh: 56.039}};
  const {text, unit, note} = line('co2', {co2_emissions_g: 0.21}, {manifest});
  assert.deepEqual([`${text} ${unit}`, note], [grams(0.21), '56 g/kWh, FRA grid']);
});

test('a run without an end lasted at least to the last thing that is known of it', () => {
  const {text, bound} = line('duration', {wall_time_ms: null}, {end_ms: 12_300});
  assert.deepEqual([text, bound], ['12.3 s', true]);
  assert.equal(line('duration', {wall_time_ms: null}, {end_ms: 0}).text, null);
});

test('of tests that nobody judged neither success nor failure is told', () => {
  const imported = {num_tests: 6, successful_tests: 0, failed_tests: 0, success_rate: null};
  for (const name of ['success', 'failures']) {
    const {text, why} = line(name, imported);
    assert.deepEqual([text, why], [null, 'no test was judged']);
  }
  const partly = {num_tests: 6, successful_tests: 2, failed_tests: 0, success_rate: 100};
  assert.equal(line('failures', partly).note, 'every test that was judged passed');
});

test('failures are counted with their classes, wrong answers among them', () => {
  const errors = [{error_type: 'tool_error', count: 3}, {error_type: 'timeout', count: 1}];
  assert.equal(line('failures', {}, {errors, statuses: {failed: 14}}).note, '3 classes');
  assert.equal(line('failures', {failed_tests: 0}).note, 'every test passed');
});

test('a run that goes on tells how far it is, a broken one how to go on', () => {
  assert.deepEqual(standing(run({}, {_status: 'running', _finished: 13})).text, 'live, 13 of 44');
  const broken = standing(run({}, {_status: 'incomplete', _finished: 26, manifest: {command_resume: 'smoltrace resume r'}}));
  assert.deepEqual([broken.text, broken.resume], ['incomplete, 26 of 44', 'smoltrace resume r']);
  assert.equal(standing(run()).resume, null);
});

test('facts leave out what was not set, and name what was by its path', () => {
  assert.deepEqual(flat({a: {b: 1, c: {d: null}}, e: [1]}), {'a.b': 1, 'a.c.d': null, e: [1]});
  const manifest = {config: {agent: {max_steps: 6, tools: []}, seed: null, stream: false}, footprint: {carbon_intensity_g_per_kwh: 56.039, carbon_source: 'Ember', power_price_usd_per_kwh: '0.12', power_price_is_default: true}};
  const found = Object.fromEntries(facts(run({}, {manifest})).map(({title, facts: pairs}) => [title, Object.fromEntries(pairs)]));
  assert.deepEqual(found.Configuration, {'agent.max_steps': '6', stream: 'no'});
  assert.equal(found.Footprint['power price'], `${money(0.12)}/kWh (default)`);
  assert.equal(found.Footprint['carbon intensity'], '56 g CO₂e/kWh');
  assert.equal(found.Footprint['its source'], 'Ember');
});
