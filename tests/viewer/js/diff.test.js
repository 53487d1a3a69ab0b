import { test } from 'node:test';
import assert from 'node:assert/strict';
import { diffTexts, diffWords, folded, MOST_CHARS, MOST_LINES } from '../../../src/smoltrace/viewer/static/js/model/diff.js';
import { commonPairs } from '../../../src/smoltrace/viewer/static/js/model/myers.js';
import { wordChanges, wordsOf } from '../../../src/smoltrace/viewer/static/js/model/words.js';
import { random } from './support/traces.js';

const side = (rows, name) => rows.filter((row) => row[name]).map((row) => row[name].text).join('\n');
const kinds = (left, right) => diffTexts(left, right).rows.map((row) => row.kind);

test('the edit script is the shortest, against a table of all subsequences', () => {
  const next = random(1);
  for (let round = 0; round < 1500; round += 1) {
    const [a, b] = [0, 1].map(() => Array.from({ length: Math.floor(next() * 12) }, () => Math.floor(next() * 4)));
    const { pairs, whole } = commonPairs(a, b, 100);
    assert.ok(whole);
    assert.equal(pairs.length, longest(a, b), JSON.stringify([a, b]));
    pairs.forEach(([i, j], k) => {
      assert.equal(a[i], b[j]);
      assert.ok(k === 0 || (i > pairs[k - 1][0] && j > pairs[k - 1][1]));
    });
  }
});

function longest(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  }
  return table[0][0];
}

test('both texts can be read back from the rows, whatever they are', () => {
  const next = random(4);
  for (let round = 0; round < 300; round += 1) {
    const [left, right] = [0, 1].map(() => Array.from({ length: 1 + Math.floor(next() * 9) }, () => 'ab c'.slice(0, Math.floor(next() * 5))).join('\n') + '.');
    const { rows } = diffTexts(left, right);
    assert.deepEqual([side(rows, 'left'), side(rows, 'right')], [left, right]);
    for (const row of rows) for (const name of ['left', 'right']) if (row[name]?.parts) assert.equal(row[name].parts.map(([text]) => text).join(''), row[name].text);
  }
});

test('a changed line stands beside the line that is like it, with the words that changed', () => {
  const left = 'fx = get_rates()\ntotal = sum(r["amt"] for r in rows)\ndone';
  const right = 'fx = get_rates()\ndue = [r for r in rows if r["state"] == "open"]\ntotal = sum(r["amt"] for r in due)\ndone';
  const found = diffTexts(left, right);
  assert.deepEqual(found.rows.map((row) => row.kind), ['same', 'added', 'changed', 'same']);
  assert.deepEqual(found.rows[2].left.parts, [['total = sum(r["amt"] for r in ', false], ['rows', true], [')', false]]);
  assert.deepEqual([found.rows[2].left.number, found.rows[2].right.number, diffWords(found)], [2, 3, '1 line changed, 1 added']);
});

test('lines that have nothing in common share a row without marks', () => {
  const { rows } = diffTexts('88', 'Fahrenheit');
  assert.deepEqual([rows.length, rows[0].kind, rows[0].left.parts], [1, 'changed', null]);
});

test('an empty text has no line, a last line break no line of its own, and line breaks of all systems are one', () => {
  assert.deepEqual([kinds('', ''), kinds('', 'a'), kinds('a\n', 'a'), kinds('a\r\nb', 'a\nb')], [[], ['added'], ['same'], ['same', 'same']]);
  assert.equal(diffWords(diffTexts('', '')), 'no output in either');
  assert.equal(diffWords(diffTexts('a', 'a')), 'no difference');
  assert.equal(diffWords(diffTexts('a\nb', 'a')), '1 line removed');
});

test('words are numbers, letters of any script, white space, and single signs', () => {
  assert.deepEqual(wordsOf('18 204.50, 12:30!'), ['18', ' ', '204.50', ',', ' ', '12:30', '!']);
  assert.deepEqual(wordsOf('Café 東京—12 °C'), ['Café', ' ', '東京', '—', '12', ' ', '°', 'C']);
  assert.deepEqual(wordChanges('a b c', 'x y c').left, [['a b', true], [' c', false]]);
  assert.equal(wordChanges('', '').likeness, 1);
});

test('a text of 5 MB is cut, and that is told', () => {
  const found = diffTexts('a'.repeat(5_000_000), `b${'a'.repeat(5_000_000)}`);
  assert.deepEqual(found.cut, [{ shown: MOST_CHARS, of: 5_000_000, unit: 'characters' }, { shown: MOST_CHARS, of: 5_000_001, unit: 'characters' }]);
  const lines = diffTexts('a\n'.repeat(9_000), 'a');
  assert.deepEqual(lines.cut, [{ shown: MOST_LINES, of: 9_001, unit: 'lines' }, null]);
});

test('texts that differ everywhere are not searched without end, and that is told', () => {
  const next = random(9);
  const many = () => Array.from({ length: 4_000 }, () => `line ${Math.floor(next() * 1e6)}`).join('\n');
  const found = diffTexts(`head\n${many()}\nfoot`, `head\n${many()}\nfoot`);
  assert.equal(found.aligned, false);
  assert.deepEqual([found.rows[0].kind, found.rows.at(-1).kind], ['same', 'same']);
});

test('long stretches of equal lines are folded, short ones and equal texts are not', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`);
  const { rows } = diffTexts(lines.join('\n'), lines.with(20, 'other').join('\n'));
  const shown = folded(rows);
  assert.deepEqual(shown.map((row) => row.kind), ['fold', 'same', 'same', 'same', 'changed', 'same', 'same', 'same', 'fold']);
  assert.deepEqual([shown[0].from, shown[0].to, shown.at(-1).to], [0, 17, 30]);
  assert.equal(folded(diffTexts('a\nb\nc\nd', 'a\nb\nc\nd').rows).length, 4);
});
