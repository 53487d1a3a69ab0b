/** Text from a trace as text nodes, with what Find looks for marked. */
import {marked} from '../model/find.js';
import {h} from './dom.js';

/** A NUL would be invisible: its sign stands for it. */
const visible = (text) => (text.includes('\0') ? text.replaceAll('\0', '\u2400') : text);

/**
 * @param {string} text
 * @param {RegExp|null} pattern
 * @returns {(string|HTMLElement)[]}
 */
export function markedText(text, pattern) {
  const shown = visible(text);
  if (!pattern) return [shown];
  return marked(shown, pattern).map((piece) => (piece.hit ? h('mark', null, piece.text) : piece.text));
}

/**
 * Coloured pieces of a text with marks across them.
 * @param {import('../model/highlight.js').Token[]} tokens
 * @param {RegExp|null} pattern
 */
export function markedTokens(tokens, pattern) {
  const paint = (type, children) => (type ? h('span', {class: `code-${type}`}, children) : children);
  if (!pattern) return tokens.map((token) => paint(token.type, visible(token.text)));
  const pieces = marked(tokens.map((token) => token.text).join(''), pattern);
  const nodes = [];
  let piece = 0;
  let used = 0;
  for (const token of tokens) {
    for (let at = 0; at < token.text.length; ) {
      const take = Math.min(token.text.length - at, pieces[piece].text.length - used);
      const text = visible(token.text.slice(at, at + take));
      nodes.push(paint(token.type, pieces[piece].hit ? h('mark', null, text) : text));
      at += take;
      used += take;
      if (used === pieces[piece].text.length) {
        piece += 1;
        used = 0;
      }
    }
  }
  return nodes;
}
