/**
 * Which rows of the tree are unfolded, and how that is said in the address.
 *
 * The address holds what differs from how the trace opens: `fold=2,1a2b3c4d,…` is "unfolded to level 2, but for these
 * spans, which are the other way" (the first 8 digits of their ids). It is bounded: of very many single folds the
 * newest are kept.
 */

const MOST_ROWS = 300;
export const MOST_SINGLE_FOLDS = 48;
const ID_DIGITS = 8;

/** The deepest level to which a trace is unfolded at first: all of it, or as many levels as fit into 300 rows. */
export function openingLevel(tree) {
  const rows = [];
  for (let node = 0; node < tree.nodes; node++) rows[tree.depth[node]] = (rows[tree.depth[node]] ?? 0) + 1;
  let seen = rows[0] ?? 0;
  for (let level = 0; level < rows.length - 1; level++) {
    seen += rows[level + 1];
    if (seen > MOST_ROWS) return level;
  }
  return rows.length;
}

/** 1 for every node whose children are shown: those above `level`, but for the orphans' group. */
export function unfolded(tree, level) {
  const open = new Uint8Array(tree.nodes);
  for (let node = 0; node < tree.nodes; node++) open[node] = tree.first[node] >= 0 && tree.depth[node] < level ? 1 : 0;
  if (tree.orphans >= 0 && tree.size[tree.orphans] > 12) open[tree.orphans] = 0;
  return open;
}

/** The nodes in sight from top to bottom. */
export function visibleRows(tree, open) {
  const rows = new Int32Array(tree.nodes);
  let count = 0;
  for (let at = 0; at < tree.nodes; ) {
    const node = tree.order[at];
    rows[count++] = node;
    at += open[node] ? 1 : tree.size[node];
  }
  return rows.subarray(0, count);
}

/** Unfold what hides a node. Returns the nodes that were folded. */
export function reveal(tree, open, node) {
  const changed = [];
  for (let up = tree.parent[node]; up >= 0; up = tree.parent[up]) {
    if (!open[up]) changed.push(up);
    open[up] = 1;
  }
  return changed;
}

const shortId = (ids, tree, node) => (node === tree.orphans ? 'orphans' : String(ids[node]).slice(0, ID_DIGITS));

/** @param {number} level  @param {number[]} single  nodes that are folded the other way, the newest last */
export function foldText(tree, ids, level, single) {
  const start = level === openingLevel(tree) ? '' : String(Math.min(level, 999));
  const names = single.slice(-MOST_SINGLE_FOLDS).map((node) => shortId(ids, tree, node));
  return [start, ...names].join(',').replace(/^,$/, '');
}

/** What `foldText` wrote; names that are not in the trace are passed over. @returns {{level: number, single: number[]}} */
export function readFolds(tree, ids, text) {
  const [start, ...names] = String(text ?? '').split(',');
  const wanted = new Set(names.slice(0, MOST_SINGLE_FOLDS));
  const level = /^\d{1,3}$/.test(start) ? Number(start) : openingLevel(tree);
  const single = [];
  for (let node = 0; wanted.size > 0 && node < tree.nodes; node++) {
    if (tree.first[node] >= 0 && wanted.delete(shortId(ids, tree, node))) single.push(node);
  }
  return { level, single };
}
