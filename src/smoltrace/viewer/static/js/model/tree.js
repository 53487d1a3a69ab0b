/**
 * The spans of a trace as a forest in typed arrays: no object a span, so that 10,000 spans cost some milliseconds.
 *
 * What a trace may bring and the forest bears: spans out of order, ends before starts, ends that were never recorded,
 * parents that are missing, spans that are their own ancestor, ids that occur twice (spans are known by their index).
 *
 * @typedef {{count: number, columns: Object<string, Array>}} Spans
 * @typedef {object} Tree
 * @property {number} count        the spans of the trace
 * @property {number} nodes        the same, and one more where there are orphans
 * @property {number} orphans      the node that orphans are grouped under, −1 where there are none
 * @property {Int32Array} parent   −1 for a root
 * @property {Int32Array} first    the first child, −1 without one
 * @property {Int32Array} next     the next sibling, −1 for the last
 * @property {Int32Array} depth
 * @property {Int32Array} order    all nodes, every parent before its children, siblings by start
 * @property {Int32Array} rank     where a node stands in `order`
 * @property {Int32Array} size     the nodes of a subtree with its root: they follow it in `order`
 * @property {Float64Array} start  ms since the first span's start
 * @property {Float64Array} end    the same; for a span without an end, the last moment that it can have lived to
 * @property {Uint8Array} open     1 where no end was recorded
 * @property {Uint8Array} failed   1 where the span itself has an error
 * @property {Int32Array} errors   the failed spans of a subtree with its root
 * @property {number} zero         the first span's start in the times of the run, ms
 * @property {number} length       ms from the first start to the last moment that is known
 */

/** @param {Spans} spans  @returns {Tree} */
export function buildTree(spans) {
  const count = spans.count;
  const { parent, orphans } = parentsOf(spans.columns.parent, count);
  const nodes = orphans < 0 ? count : count + 1;
  const clock = clocks(spans.columns, count, nodes);
  const tree = { count, nodes, orphans, parent, ...clock, ...linked(parent, nodes, clock.start, orphans) };
  endings(tree);
  tree.failed = new Uint8Array(nodes);
  for (let i = 0; i < count; i++) tree.failed[i] = spans.columns.error[i] == null ? 0 : 1;
  tree.errors = Int32Array.from(tree.failed);
  for (let at = nodes - 1; at > 0; at--) {
    const node = tree.order[at];
    if (parent[node] >= 0) tree.errors[parent[node]] += tree.errors[node];
  }
  return tree;
}

/** Parents that are there and lead to a root; every other span becomes an orphan, of a circle only the span that opens it. */
function parentsOf(given, count) {
  const parent = new Int32Array(count + 1).fill(-1);
  let lost = 0;
  for (let i = 0; i < count; i++) {
    const up = given[i];
    const known = Number.isInteger(up) && up >= 0 && up < count && up !== i;
    parent[i] = known ? up : up === -1 || up == null ? -1 : count;
    lost += parent[i] === count ? 1 : 0;
  }
  const seen = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) {
    let at = i;
    while (at >= 0 && at < count && seen[at] === 0) {
      seen[at] = i + 1;
      at = parent[at];
    }
    if (at >= 0 && at < count && seen[at] === i + 1) {
      parent[at] = count;
      lost += 1;
    }
  }
  return lost > 0 ? { parent, orphans: count } : { parent: parent.subarray(0, count), orphans: -1 };
}

function clocks(columns, count, nodes) {
  const start = new Float64Array(nodes);
  const end = new Float64Array(nodes);
  const open = new Uint8Array(nodes);
  let zero = Infinity;
  let last = -Infinity;
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(columns.start_ms[i])) continue;
    zero = Math.min(zero, columns.start_ms[i]);
    last = Math.max(last, columns.start_ms[i]);
  }
  if (zero === Infinity) zero = last = 0;
  for (let i = 0; i < count; i++) {
    const begun = Number.isFinite(columns.start_ms[i]) ? columns.start_ms[i] : zero;
    const ended = columns.end_ms[i];
    open[i] = Number.isFinite(ended) ? 0 : 1;
    start[i] = begun - zero;
    end[i] = open[i] ? NaN : Math.max(ended, begun) - zero;
    if (!open[i]) last = Math.max(last, ended);
  }
  return { start, end, open, zero, length: last - zero };
}

function linked(parent, nodes, start, orphans) {
  const byStart = startOrder(start, nodes, orphans);
  const first = new Int32Array(nodes).fill(-1);
  const next = new Int32Array(nodes).fill(-1);
  let root = -1;
  for (let k = nodes - 1; k >= 0; k--) {
    const node = byStart[k];
    const up = parent[node];
    if (up >= 0) {
      next[node] = first[up];
      first[up] = node;
    } else {
      next[node] = root;
      root = node;
    }
  }
  return { first, next, ...preorder(parent, first, next, root, nodes) };
}

/** The nodes by start; the orphans' group last, since it belongs to no time. */
function startOrder(start, nodes, orphans) {
  const indices = Int32Array.from({ length: nodes }, (_, i) => i);
  const spans = orphans < 0 ? nodes : nodes - 1;
  for (let i = 1; i < spans; i++) {
    if (start[i] < start[i - 1]) {
      indices.subarray(0, spans).sort((a, b) => start[a] - start[b] || a - b);
      break;
    }
  }
  return indices;
}

function preorder(parent, first, next, root, nodes) {
  const order = new Int32Array(nodes);
  const rank = new Int32Array(nodes);
  const depth = new Int32Array(nodes);
  const size = new Int32Array(nodes).fill(1);
  let at = 0;
  for (let node = root; node >= 0; ) {
    rank[node] = at;
    order[at++] = node;
    depth[node] = parent[node] < 0 ? 0 : depth[parent[node]] + 1;
    if (first[node] >= 0) {
      node = first[node];
      continue;
    }
    while (node >= 0 && next[node] < 0) node = parent[node];
    node = node < 0 ? -1 : next[node];
  }
  for (let k = nodes - 1; k >= 0; k--) if (parent[order[k]] >= 0) size[parent[order[k]]] += size[order[k]];
  return { order, rank, depth, size, root };
}

/** A span without an end may have lived as long as its parent, or to the last moment that the trace knows. */
function endings(tree) {
  const { order, parent, start, end, open, orphans, length } = tree;
  for (const node of order) {
    if (node === orphans || !open[node]) continue;
    const up = parent[node];
    const bound = up >= 0 && up !== orphans && !open[up] ? end[up] : length;
    end[node] = Math.max(start[node], bound);
  }
  if (orphans < 0) return;
  start[orphans] = Infinity;
  for (let child = tree.first[orphans]; child >= 0; child = tree.next[child]) {
    start[orphans] = Math.min(start[orphans], start[child]);
    end[orphans] = Math.max(end[orphans], end[child]);
  }
}

/** Whether `node` is `above` or lies in its subtree. @param {Tree} tree */
export function within(tree, node, above) {
  const offset = tree.rank[node] - tree.rank[above];
  return offset >= 0 && offset < tree.size[above];
}

/** The nodes above one, the nearest first. @param {Tree} tree */
export function ancestors(tree, node) {
  const found = [];
  for (let up = tree.parent[node]; up >= 0; up = tree.parent[up]) found.push(up);
  return found;
}
