/**
 * Which words of a changed line changed.
 */
import {commonPairs} from './myers.js';

/** Lines of more words are not compared word by word. */
const MOST_WORDS = 4000;
const MOST_EDITS = 250;

/** @typedef {[text: string, changed: boolean][]} Parts */

/** Numbers, words, runs of white space, and every other sign by itself. @param {string} line */
export function wordsOf(line) {
  return line.match(/\s+|(?:\p{N}+[.,:])+\p{N}+|[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu) ?? [];
}

/**
 * @param {string} left @param {string} right
 * @returns {{left: Parts, right: Parts, likeness: number}} likeness: 0 to 1, share of the signs that both have
 */
export function wordChanges(left, right) {
  const [a, b] = [wordsOf(left), wordsOf(right)];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) return edges(left, right);
  const ids = new Map();
  const number = (word) => ids.get(word) ?? ids.set(word, ids.size).get(word);
  const { pairs } = commonPairs(a.map(number), b.map(number), MOST_EDITS);
  const signs = pairs.reduce((total, [i]) => total + a[i].trim().length, 0);
  const all = Math.max(left.replace(/\s/g, '').length, right.replace(/\s/g, '').length);
  return {
    left: parts(a, pairs.map(([i]) => i)),
    right: parts(b, pairs.map(([, j]) => j)),
    likeness: all ? signs / all : 1,
  };
}

/** Neighbours of the same kind become one part; a lone space between two changed words is changed with them. */
function parts(words, same) {
  const changed = new Array(words.length).fill(true);
  for (const i of same) changed[i] = false;
  for (let i = 1; i < words.length - 1; i += 1) {
    if (!changed[i] && changed[i - 1] && changed[i + 1] && /^\s+$/.test(words[i])) changed[i] = true;
  }
  const made = [];
  words.forEach((word, i) => {
    if (made.length && made[made.length - 1][1] === changed[i]) made[made.length - 1][0] += word;
    else made.push([word, changed[i]]);
  });
  return made;
}

/** Of very long lines only what both begin and end with is told apart. */
function edges(left, right) {
  const most = Math.min(left.length, right.length);
  let start = 0;
  while (start < most && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < most - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1;
  const split = (line) =>
    [[line.slice(0, start), false], [line.slice(start, line.length - end), true], [line.slice(line.length - end), false]].filter(([text]) => text);
  return { left: split(left), right: split(right), likeness: (start + end) / Math.max(left.length, right.length, 1) };
}
