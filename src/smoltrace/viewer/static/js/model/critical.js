/**
 * The critical path: what would have had to be faster for the trace to end earlier.
 *
 * From the end of a span backwards, the child that ended last held it up; from that child's start backwards the search
 * goes on with the children that had ended by then, and inside that child it goes the same way. What no child covers is
 * the span's own. So each moment of a root belongs to exactly one span, and a span on the path covers one stretch of it.
 * A child is cut to its parent's stretch (clocks may differ, and a child may outlive its parent), one of no length
 * is not on the path.
 *
 * @typedef {object} CriticalPath
 * @property {Float64Array} from      where a node's stretch begins, NaN off the path (the stretch holds its children's)
 * @property {Float64Array} to
 * @property {Int32Array} offsets     node i's own pieces are `pieces[2 * offsets[i]] … pieces[2 * offsets[i + 1]]`
 * @property {Float64Array} pieces    [from, to, from, to, …], each node's by time
 */

const FEW = 24;

/** @param {import('./tree.js').Tree} tree  @returns {CriticalPath} */
export function criticalPath(tree) {
  const from = new Float64Array(tree.nodes).fill(NaN);
  const to = new Float64Array(tree.nodes).fill(NaN);
  const candidates = new Candidates(tree);
  const owned = ownedPieces(tree.nodes);
  const stack = [{node: -1, low: 0, cursor: tree.length, at: 0, end: candidates.list(-1, 0, tree.length)}];
  while (stack.length > 0) {
    const frame = stack[stack.length - 1];
    const child = candidates.next(frame);
    const reached = child < 0 ? frame.low : candidates.high[child];
    if (frame.node >= 0 && reached < frame.cursor) owned.add(frame.node, reached, frame.cursor);
    if (child < 0) {
      stack.pop();
      continue;
    }
    from[child] = frame.cursor = candidates.low[child];
    to[child] = reached;
    const at = frame.end;
    stack.push({node: child, low: from[child], cursor: reached, at, end: candidates.list(child, from[child], reached, at)});
  }
  return {from, to, ...owned.packed()};
}

/**
 * The children of nodes that lie within a stretch of time, the last to end first, of equals the longest. The lists of
 * all nodes that are looked at stand one behind the other in one array.
 */
class Candidates {
  /** @param {import('./tree.js').Tree} tree */
  constructor(tree) {
    this.tree = tree;
    this.low = new Float64Array(tree.nodes);
    this.high = new Float64Array(tree.nodes);
    this.line = new Int32Array(tree.nodes);
  }

  /** List a node's children (−1: the roots) from place `at` on. @returns {number} the end of the list */
  list(node, from, to, at = 0) {
    const {tree, low, high, line} = this;
    let last = at;
    let ordered = true;
    for (let child = node < 0 ? tree.root : tree.first[node]; child >= 0; child = tree.next[child]) {
      if (child === tree.orphans) continue; // whose children they are is not known
      low[child] = Math.max(tree.start[child], from);
      high[child] = Math.min(tree.end[child], to);
      if (!(high[child] > low[child])) continue;
      if (last > at && high[line[last - 1]] >= high[child]) ordered = false;
      line[last++] = child;
    }
    if (ordered) reverse(line, at, last);
    else this.#sort(at, last);
    return last;
  }

  #later(a, b) {
    return this.high[b] - this.high[a] || this.low[a] - this.low[b] || a - b;
  }

  /** Most lists are short, and a sort of the engine's costs more than they do. */
  #sort(from, to) {
    const {line} = this;
    if (to - from > FEW) {
      line.subarray(from, to).sort((a, b) => this.#later(a, b));
      return;
    }
    for (let k = from + 1; k < to; k++) {
      const child = line[k];
      let place = k;
      for (; place > from && this.#later(line[place - 1], child) > 0; place--) line[place] = line[place - 1];
      line[place] = child;
    }
  }

  /** The next child of a frame that had ended by its cursor, −1 without one. */
  next(frame) {
    while (frame.at < frame.end && this.high[this.line[frame.at]] > frame.cursor) frame.at += 1;
    return frame.at < frame.end ? this.line[frame.at++] : -1;
  }
}

function reverse(line, from, to) {
  for (let low = from, high = to - 1; low < high; low++, high--) {
    const child = line[low];
    line[low] = line[high];
    line[high] = child;
  }
}

/** Pieces of time by their owners: each child that is entered leaves its parent at most one piece, and so does each end. */
function ownedPieces(nodes) {
  const owners = new Int32Array(2 * nodes + 1);
  const times = new Float64Array(4 * nodes + 2);
  let count = 0;
  return {
    add(node, low, high) {
      owners[count] = node;
      times[2 * count] = low;
      times[2 * count + 1] = high;
      count += 1;
    },
    /** They come from the last to the first, and are packed by node and time. */
    packed() {
      const offsets = new Int32Array(nodes + 1);
      for (let k = 0; k < count; k++) offsets[owners[k] + 1] += 1;
      for (let i = 0; i < nodes; i++) offsets[i + 1] += offsets[i];
      const filled = offsets.slice();
      const pieces = new Float64Array(2 * count);
      for (let k = count - 1; k >= 0; k--) {
        const place = 2 * filled[owners[k]]++;
        pieces[place] = times[2 * k];
        pieces[place + 1] = times[2 * k + 1];
      }
      return {offsets, pieces};
    },
  };
}

/** A node's stretches on the path as [from, to, …]: its own, or where it is folded, all of its subtree. */
export function criticalPieces(path, node, folded) {
  if (Number.isNaN(path.from[node])) return [];
  if (folded) return [path.from[node], path.to[node]];
  return path.pieces.subarray(2 * path.offsets[node], 2 * path.offsets[node + 1]);
}

/** The ms that a span itself holds of the path. */
export function criticalOwn(path, node) {
  let sum = 0;
  for (let k = path.offsets[node]; k < path.offsets[node + 1]; k++) sum += path.pieces[2 * k + 1] - path.pieces[2 * k];
  return sum;
}

/** The spans that own a piece of the path, by time of its beginning. @returns {number[]} */
export function criticalStops(tree, path) {
  const stops = [];
  for (let node = 0; node < tree.count; node++) {
    const longest = criticalOwn(path, node);
    // a span that only holds others together owns some microseconds between them: it is no stop
    if (longest > 0 && (tree.first[node] < 0 || longest >= 0.2 * (tree.end[node] - tree.start[node]))) stops.push(node);
  }
  return stops.sort((a, b) => path.pieces[2 * path.offsets[a]] - path.pieces[2 * path.offsets[b]] || a - b);
}
