/**
 * Two texts side by side, line by line: what is the same, changed, removed and added.
 */
import {commonPairs} from './myers.js';
import {wordChanges} from './words.js';

/** What is compared of a text; the rest is announced as cut. */
export const MOST_CHARS = 200_000;
export const MOST_LINES = 5_000;
const MOST_EDITS = 1_500;
/** Characters that are compared to match the lines of a block of changes by likeness, each with each; else in order. */
const MOST_MATCHED = 300_000;
/** Changed lines whose words are compared. */
const MOST_MARKED = 300;
const ALIKE = 0.35;

/**
 * @typedef {{number: number, text: string, parts: import('./words.js').Parts | null}} Side
 * @typedef {{kind: 'same' | 'changed' | 'removed' | 'added', left: Side | null, right: Side | null}} DiffRow
 * @typedef {{shown: number, of: number, unit: 'characters' | 'lines'}} Cut
 */

/**
 * @param {string} left
 * @param {string} right
 * @returns {{rows: DiffRow[], changed: number, removed: number, added: number, cut: [Cut | null, Cut | null],
 *   aligned: boolean}} `aligned` is false where the texts differ too much to be matched line by line
 */
export function diffTexts(left, right) {
  const [one, two] = [bounded(left), bounded(right)];
  const ids = new Map();
  const number = (line) => ids.get(line) ?? ids.set(line, ids.size).get(line);
  const { pairs, whole } = commonPairs(one.lines.map(number), two.lines.map(number), MOST_EDITS);
  const made = { rows: [], changed: 0, removed: 0, added: 0, cut: [one.cut, two.cut], aligned: whole, marked: 0 };
  let [i, j] = [0, 0];
  for (const [a, b] of [...pairs, [one.lines.length, two.lines.length]]) {
    if (a > i || b > j) addBlock(made, one.lines, two.lines, [i, a], [j, b]);
    if (a < one.lines.length && b < two.lines.length) {
      made.rows.push({ kind: 'same', left: side(a, one.lines[a]), right: side(b, two.lines[b]) });
    }
    [i, j] = [a + 1, b + 1];
  }
  const { marked: _, ...result } = made;
  return result;
}

function side(index, text, parts = null) {
  return { number: index + 1, text, parts };
}

/** @returns {{lines: string[], cut: Cut | null}} no text at all has no lines */
function bounded(text) {
  if (text === '') return { lines: [], cut: null };
  const kept = text.length > MOST_CHARS ? text.slice(0, MOST_CHARS) : text;
  const lines = kept.split(/\r\n|\r|\n/);
  if (lines.length > 1 && lines[lines.length - 1] === '' && kept.length === text.length) lines.pop();
  if (lines.length > MOST_LINES) {
    return { lines: lines.slice(0, MOST_LINES), cut: { shown: MOST_LINES, of: countLines(text), unit: 'lines' } };
  }
  return { lines, cut: kept.length < text.length ? { shown: MOST_CHARS, of: text.length, unit: 'characters' } : null };
}

function countLines(text) {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

/** A block of lines that differ: those that are alike stand side by side with their words marked, others as they come. */
function addBlock(made, a, b, [aFrom, aTo], [bFrom, bTo]) {
  let [i, j] = [aFrom, bFrom];
  const alone = (aEnd, bEnd) => {
    for (; i < aEnd && j < bEnd; i += 1, j += 1, made.changed += 1) made.rows.push({ kind: 'changed', left: side(i, a[i]), right: side(j, b[j]) });
    for (; i < aEnd; i += 1, made.removed += 1) made.rows.push({ kind: 'removed', left: side(i, a[i]), right: null });
    for (; j < bEnd; j += 1, made.added += 1) made.rows.push({ kind: 'added', left: null, right: side(j, b[j]) });
  };
  for (const [x, y, words] of alikePairs(made, a, b, [aFrom, aTo], [bFrom, bTo])) {
    alone(x, y);
    made.rows.push({ kind: 'changed', left: side(x, a[x], words?.left), right: side(y, b[y], words?.right) });
    made.changed += 1;
    [i, j] = [x + 1, y + 1];
  }
  alone(aTo, bTo);
}

/** Lines to set side by side, in order, with the greatest sum of likeness. */
function alikePairs(made, a, b, [aFrom, aTo], [bFrom, bTo]) {
  const [n, m] = [aTo - aFrom, bTo - bFrom];
  if (!n || !m || made.marked > MOST_MARKED) return [];
  const length = (lines, from, to) => lines.slice(from, to).reduce((total, line) => total + line.length + 1, 0);
  const work = length(a, aFrom, aTo) * m + length(b, bFrom, bTo) * n;
  if (work > MOST_MATCHED || n * m > MOST_MATCHED / 20) return inOrder(made, a, b, aFrom, bFrom, Math.min(n, m));
  made.marked += Math.min(n, m);
  const found = Array.from({ length: n }, (_, x) => Array.from({ length: m }, (_, y) => wordChanges(a[aFrom + x], b[bFrom + y])));
  const best = Array.from({ length: n + 1 }, () => new Float64Array(m + 1));
  const worth = (x, y) => (found[x][y].likeness >= ALIKE ? found[x][y].likeness : -Infinity);
  for (let x = n - 1; x >= 0; x -= 1) {
    for (let y = m - 1; y >= 0; y -= 1) best[x][y] = Math.max(best[x + 1][y], best[x][y + 1], best[x + 1][y + 1] + worth(x, y));
  }
  const pairs = [];
  for (let x = 0, y = 0; x < n && y < m; ) {
    if (best[x][y] === best[x + 1][y + 1] + worth(x, y)) pairs.push([aFrom + x, bFrom + y, found[x++][y++]]);
    else if (best[x][y] === best[x + 1][y]) x += 1;
    else y += 1;
  }
  return pairs;
}

function inOrder(made, a, b, aFrom, bFrom, many) {
  const pairs = [];
  for (let k = 0; k < many && made.marked <= MOST_MARKED; k += 1, made.marked += 1) {
    const words = wordChanges(a[aFrom + k], b[bFrom + k]);
    if (words.likeness >= ALIKE) pairs.push([aFrom + k, bFrom + k, words]);
  }
  return pairs;
}

/**
 * Long stretches of equal lines become one row that can be opened.
 * @param {DiffRow[]} rows
 * @param {number} around equal lines that stay beside a change
 * @returns {(DiffRow | {kind: 'fold', from: number, to: number})[]} `from` (included) and `to` are indexes of `rows`
 */
export function folded(rows, around = 3) {
  const made = [];
  for (let i = 0; i < rows.length; ) {
    if (rows[i].kind !== 'same') {
      made.push(rows[i]);
      i += 1;
      continue;
    }
    let end = i;
    while (end < rows.length && rows[end].kind === 'same') end += 1;
    const from = i === 0 ? i : i + around;
    const to = end === rows.length ? end : end - around;
    if (to - from < 3 || (i === 0 && end === rows.length)) made.push(...rows.slice(i, end));
    else made.push(...rows.slice(i, from), { kind: 'fold', from, to }, ...rows.slice(to, end));
    i = end;
  }
  return made;
}

/** What changed, in words. */
export function diffWords({ rows, changed, removed, added }) {
  if (!rows.length) return 'no output in either';
  if (!changed && !removed && !added) return 'no difference';
  const lines = (n) => `${n} line${n === 1 ? '' : 's'}`;
  const told = [[changed, 'changed'], [removed, 'removed'], [added, 'added']].filter(([n]) => n);
  return told.map(([n, word], i) => `${i ? n : lines(n)} ${word}`).join(', ');
}
