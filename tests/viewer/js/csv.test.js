import {test} from 'node:test';
import assert from 'node:assert/strict';
import {toCsv, toJson} from '../../../src/smoltrace/viewer/static/js/model/csv.js';

test('commas, quotes and line ends are quoted, nothing else is', () => {
  const text = toCsv(['id', 'answer, short'], [{id: 'a b', 'answer, short': 'say "yes"\nor no'}, {id: 'c\r', 'answer, short': 'x'}]);
  assert.equal(text, 'id,"answer, short"\na b,"say ""yes""\nor no"\n"c\r",x\n');
});

test('unknown is empty and never 0; booleans and lists are as the store exports them', () => {
  const row = {a: null, b: 0, c: true, d: false, e: ['x', 'y'], f: {g: 1}, h: 1e-7};
  assert.equal(toCsv([...Object.keys(row), 'missing'], [row]), 'a,b,c,d,e,f,h,missing\n,0,True,False,"[""x"",""y""]","{""g"":1}",1e-7,\n');
});

test('no rows leave the head, and an empty list', () => {
  assert.equal(toCsv(['a'], []), 'a\n');
  assert.equal(toJson(['a'], []), '[]\n');
});

test('JSON has the named columns of every row', () => {
  const text = toJson(['a', 'b'], [{a: 1, c: 2}, {a: 'ü', b: [1]}]);
  assert.deepEqual(JSON.parse(text), [{a: 1, b: null}, {a: 'ü', b: [1]}]);
  assert.equal(text.split('\n').length, 5);
});
