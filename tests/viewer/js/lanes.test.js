import {test} from 'node:test';
import assert from 'node:assert/strict';
import {extremes, laneNames, lanesOf, partsOf, roundedUp, valueAt} from '../../../src/smoltrace/viewer/static/js/model/lanes.js';

const raw = (values, max = null, unit = 'W') => ({unit, max, min: values, max_values: values, last: values});
const gpu = (id, lanes) => ({id, name: 'NVIDIA L4', lanes});

test('lanes are named in the order of the page, and a lane without samples is not there', () => {
  const found = {gpus: [gpu('0', {power: raw([1])}), gpu('1', {utilisation: raw([1]), co2: raw([1])})]};
  assert.deepEqual(laneNames(found), ['utilisation', 'power', 'co2']);
  assert.deepEqual(lanesOf({gpus: []}, 'all', ['power']), []);
});

test('one GPU is shown as it is, with what it can reach as the top', () => {
  const [lane] = lanesOf({gpus: [gpu('0', {utilisation: {unit: '%', max: 100, min: [1, null], max_values: [9, null], last: [5, null]}})]}, 'all', ['utilisation']);
  assert.deepEqual([lane.low, lane.high, lane.line, lane.top, lane.how], [[1, null], [9, null], [5, null], 100, null]);
});

test('a lane without a known top ends at a round value', () => {
  const [lane] = lanesOf({gpus: [gpu('0', {power: raw([3, 61.2])})]}, 'all', ['power']);
  assert.equal(lane.top, 80);
  assert.deepEqual([0.0071, 1, 5, 0, 123456].map(roundedUp), [0.008, 1, 5, 1, 150000]);
});

test('of several GPUs power is summed, utilisation is their mean with its spread, temperature the hottest', () => {
  const both = {gpus: [
    gpu('0', {power: raw([10, 20], 70), utilisation: raw([0, 50], 100, '%'), temperature: raw([40, 50])}),
    gpu('1', {power: raw([30, 40], 70), utilisation: raw([100, 100], 100, '%'), temperature: raw([60, 45])}),
  ]};
  const [utilisation, temperature, power] = lanesOf(both, 'all', ['power', 'utilisation', 'temperature']);
  assert.deepEqual([power.line, power.top, power.how], [[40, 60], 140, 'sum of 2 GPUs']);
  assert.deepEqual([utilisation.line, utilisation.low, utilisation.high, utilisation.top], [[50, 75], [0, 50], [100, 100], 100]);
  assert.deepEqual([temperature.line, temperature.spread], [[60, 50], true]);
});

test('GPUs that are read one after the other are held until their next sample, and no silent GPU makes a sum too low', () => {
  const read = {gpus: [gpu('0', {power: raw([10, null, 20, null, 30])}), gpu('1', {power: raw([null, 5, null, 6, null])})]};
  assert.deepEqual(lanesOf(read, 'all', ['power'])[0].line, [null, 15, 25, 26, null]);
  const silent = {gpus: [gpu('0', {power: raw([1, 1, 1, 1, 1, 1, 1])}), gpu('1', {power: raw([1, 1, null, null, null, null, null])})]};
  assert.deepEqual(lanesOf(silent, 'all', ['power'])[0].line, [2, 2, null, null, null, null, null]);
});

test('one GPU can be chosen, and one kind can be seen GPU by GPU on one scale', () => {
  const both = {gpus: [gpu('0', {power: raw([10])}), gpu('1', {power: raw([90])})]};
  assert.deepEqual(lanesOf(both, '1', ['power'])[0].line, [90]);
  const each = lanesOf(both, 'each:power', []);
  assert.deepEqual(each.map((lane) => [lane.title, lane.line[0], lane.top]), [['GPU 0', 10, 100], ['GPU 1', 90, 100]]);
  assert.equal(lanesOf(both, 'no such', ['power'])[0].how, 'sum of 2 GPUs');
});

test('sparse samples belong together, a long silence parts them', () => {
  assert.deepEqual(partsOf([1, null, null, 1, null, null, 1]), [[0, 6]]);
  const gap = [1, 1, 1, ...new Array(20).fill(null), 1, 1];
  assert.deepEqual(partsOf(gap), [[0, 2], [23, 24]]);
  assert.deepEqual(partsOf([null, null]), []);
  assert.deepEqual(partsOf([null, 4]), [[1, 1]]);
});

test('the crosshair tells the sample before it, and nothing where nothing was measured', () => {
  const [lane] = lanesOf({gpus: [gpu('0', {power: raw([null, 7, null, 9, null])})]}, 'all', ['power']);
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => valueAt(lane, i)?.value ?? null), [null, 7, 7, 9, null]);
  assert.deepEqual(extremes(lane), {peak: 9, last: 9});
  assert.deepEqual(extremes({high: [null], line: [null], parts: []}), {peak: null, last: null});
});
