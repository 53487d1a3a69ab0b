import assert from 'node:assert/strict';
import test from 'node:test';
import {comparedIds} from '../../../src/smoltrace/viewer/static/js/model/comparison.js';

test('each run is compared once, and not more than ten of them', () => {
  assert.deepEqual(comparedIds(['b', 'a', 'b']), ['b', 'a']);
  const many = Array.from({length: 11}, (_, i) => `run-${i}`);
  assert.equal(comparedIds(many.slice(1)).length, 10);
  for (const ids of [[], many]) assert.throws(() => comparedIds(ids), {status: 400, message: /^(0|11) runs cannot be compared: choose 2 to 10\./});
});
