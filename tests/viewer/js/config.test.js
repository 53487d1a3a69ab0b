import { test } from 'node:test';
import assert from 'node:assert/strict';
import { settingsOf, valueText } from '../../../src/smoltrace/viewer/static/js/model/config.js';

const settings = (...configs) => settingsOf(configs.map((config) => ({ config })));

test('settings are told by name with a value a run, and whether they differ', () => {
  const found = settings({ 'model.id': 'a', workers: 4 }, { 'model.id': 'b', workers: 4 });
  assert.deepEqual(found, [
    { name: 'workers', group: '', values: ['4', '4'], differs: false },
    { name: 'model.id', group: 'model', values: ['a', 'b'], differs: true },
  ]);
});

test('a setting that a run does not know is told apart from one that is not set', () => {
  const [found] = settings({ seed: null }, {});
  assert.deepEqual([found.values, found.differs], [['not set', null], true]);
});

test('values of every kind have one text', () => {
  assert.deepEqual([valueText(true), valueText([]), valueText(['a', 1]), valueText({ b: 1 }), valueText(0), valueText('')], ['yes', 'not set', '["a",1]', '{"b":1}', '0', '']);
});

test('what every run has of its own is no setting, and hostile names are only names', () => {
  assert.deepEqual(settings({ run_id: 'x', __proto__: null, constructor: 'y' }).map((each) => each.name), ['constructor']);
  assert.deepEqual(settings({ a: 1 }, { toString: 2 })[1].values, [null, '2']);
});
