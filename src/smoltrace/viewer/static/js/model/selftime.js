/** A span's own time: its duration less the time in which at least one of its children ran. */

/** ms of every node. @param {import('./tree.js').Tree} tree */
export function selfTimes(tree) {
  const own = new Float64Array(tree.nodes);
  for (let node = 0; node < tree.nodes; node++) {
    if (node === tree.orphans) continue;
    let covered = 0;
    eachCovered(tree, node, (from, to) => {
      covered += to - from;
    });
    own[node] = Math.max(0, tree.end[node] - tree.start[node] - covered);
  }
  return own;
}

/** The stretches of a node that belong to no child, as [from, to, …]. */
export function selfPieces(tree, node) {
  const pieces = [];
  let cursor = tree.start[node];
  eachCovered(tree, node, (from, to) => {
    if (from > cursor) pieces.push(cursor, from);
    cursor = to;
  });
  if (tree.end[node] > cursor) pieces.push(cursor, tree.end[node]);
  return pieces;
}

/** The union of the children's times within their parent's, piece by piece. Children are linked by start. */
function eachCovered(tree, node, tell) {
  let from = NaN;
  let to = NaN;
  for (let child = tree.first[node]; child >= 0; child = tree.next[child]) {
    const begins = Math.max(tree.start[child], tree.start[node]);
    const ends = Math.min(tree.end[child], tree.end[node]);
    if (!(ends > begins)) continue;
    if (begins <= to) {
      to = Math.max(to, ends);
      continue;
    }
    if (to > from) tell(from, to);
    from = begins;
    to = ends;
  }
  if (to > from) tell(from, to);
}
