import assert from 'node:assert/strict';
import {test} from 'node:test';
import {highlight, languageOf, MOST_HIGHLIGHTED} from '../../../src/smoltrace/viewer/static/js/model/highlight.js';

const typed = (code, language) => highlight(code, language).filter((token) => token.type).map((token) => [token.type, token.text]);

test('Python: keywords, strings, numbers, comments', () => {
  assert.deepEqual(typed("for r in rows:  # all 'of' them\n    x = r['a\\'b'] + 1.5e-3", 'python'), [
    ['keyword', 'for'], ['keyword', 'in'], ['comment', "# all 'of' them"], ['string', "'a\\'b'"], ['number', '1.5e-3'],
  ]);
});

test('Python: prefixes, three quotes, and strings that are never closed', () => {
  assert.deepEqual(typed('f"""a\n"b" """ r\'\\d\'', 'python'), [['string', 'f"""a\n"b" """'], ['string', "r'\\d'"]]);
  assert.deepEqual(typed('x = "open\ny = 2', 'python'), [['string', '"open'], ['number', '2']]);
  assert.deepEqual(typed('"""never closed', 'python'), [['string', '"""never closed']]);
});

test('Python: numbers within names are no numbers', () => {
  assert.deepEqual(typed('x1 = gpu_0', 'python'), []);
});

test('JSON: names, values and words apart', () => {
  assert.deepEqual(typed('{"a": "b", "n": -1.5e3, "t": true, "z": null}', 'json'), [
    ['name', '"a"'], ['string', '"b"'], ['name', '"n"'], ['number', '-1.5e3'], ['name', '"t"'], ['keyword', 'true'], ['name', '"z"'], ['keyword', 'null'],
  ]);
});

test('no character is lost, whatever the text', () => {
  const texts = ['', ' ', '\0', '\ud800"', '"\\', "'''", 'é=“ß”\u2028', '/* <script>alert(1)</script> */', '{"a'.repeat(50), '1.2.3e', '\\\\\\'];
  for (const language of ['python', 'json', '', 'rust']) for (const text of texts) assert.equal(highlight(text, language).map((token) => token.text).join(''), text);
});

test('very long code is one plain piece', () => {
  assert.equal(highlight('x = 1\n'.repeat(MOST_HIGHLIGHTED), 'python').length, 1);
  assert.ok(highlight('"' + '\\"'.repeat(15_000), 'json').length > 0);
});

test('a language is known by its name, else by its looks', () => {
  assert.equal(languageOf('py', 'anything'), 'python');
  assert.equal(languageOf('rust', 'x = 1'), '');
  assert.equal(languageOf('', 'rows = load()\nprint(rows)'), 'python');
  assert.equal(languageOf('', '{"a": 1}'), 'json');
  assert.equal(languageOf('', '[12:30] hello'), '');
  assert.equal(languageOf('', 'The sum is 3.'), '');
});
