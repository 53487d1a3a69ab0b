/**
 * Find in a trace: in the names of all spans, and in what was loaded of a span (its messages and attributes).
 * Matching is by plain text without regard to case.
 */
import {lastPart} from './runname.js';

const MOST_TEXT = 200_000;
const MOST_TEXTS = 20_000_000;
const MOST_MARKS = 2_000;

/** A span's name without the operation that its mark shows already: "chat acme/grande-2" is "grande-2". */
export function spanLabel(name, kind, tool, model) {
  const text = String(name ?? '');
  if (kind === 'tool') return text.startsWith('execute_tool ') ? text.slice(13) : tool || text;
  if (kind === 'chat') return lastPart(text.startsWith('chat ') ? text.slice(5) : String(model || text));
  if (kind === 'agent') return text.startsWith('invoke_agent ') ? text.slice(13) : text;
  if (kind === 'step') return text.replace(/^(step|planning)\b/, (word) => word[0].toUpperCase() + word.slice(1));
  return text;
}

/** @returns {RegExp|null} null for an empty question */
export function matcher(question) {
  const text = String(question ?? '').trim();
  return text === '' ? null : new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi');
}

/**
 * @param {import('./tree.js').Tree} tree
 * @param {(node: number) => string} label  what is shown as a span's name
 * @param {Object<string, Array>} columns
 */
export function finder(tree, label, columns) {
  const loaded = new Map();
  let size = 0;
  const has = (pattern, text) => {
    pattern.lastIndex = 0;
    return text != null && text !== '' && pattern.test(text);
  };
  return {
    /** Remember the text of a span that was loaded; of very long ones the beginning. */
    add(node, text) {
      if (loaded.has(node) || size > MOST_TEXTS) return;
      const kept = text.slice(0, MOST_TEXT);
      size += kept.length;
      loaded.set(node, kept);
    },
    /** The spans that match, from top to bottom. @returns {number[]} */
    find(question) {
      const pattern = matcher(question);
      if (!pattern) return [];
      const found = [];
      for (const node of tree.order) {
        if (node === tree.orphans) continue;
        const named = has(pattern, label(node)) || has(pattern, columns.name[node]) || has(pattern, columns.error[node]);
        if (named || has(pattern, columns.model?.[node]) || has(pattern, loaded.get(node))) found.push(node);
      }
      return found;
    },
    /** How many spans' contents are searched. */
    loaded: () => loaded.size,
  };
}

/** The match after (step 1) or before (−1) a place in the tree, around its end. @returns {number} an index of `found`, −1 without any */
export function nextMatch(tree, found, node, step) {
  if (found.length === 0) return -1;
  const at = node == null || node < 0 ? -1 : tree.rank[node];
  if (step > 0) {
    const after = found.findIndex((other) => tree.rank[other] > at);
    return after < 0 ? 0 : after;
  }
  for (let k = found.length - 1; k >= 0; k--) if (tree.rank[found[k]] < at) return k;
  return found.length - 1;
}

/** A text in pieces, the matches among them marked. @returns {{text: string, hit: boolean}[]} */
export function marked(text, pattern) {
  if (!pattern) return [{text, hit: false}];
  const pieces = [];
  let cursor = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match && pieces.length < 2 * MOST_MARKS; match = pattern.exec(text)) {
    if (match.index > cursor) pieces.push({text: text.slice(cursor, match.index), hit: false});
    pieces.push({text: match[0], hit: true});
    cursor = match.index + match[0].length;
  }
  if (cursor < text.length || pieces.length === 0) pieces.push({text: text.slice(cursor), hit: false});
  return pieces;
}
