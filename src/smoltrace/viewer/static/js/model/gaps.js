/**
 * Idle time: when nothing of a trace was at work. At work are model calls, tools and steps; an agent or a test that
 * has children only holds them together, so what lies between those is idle.
 */

const LEAST_MS = 100;

/**
 * The gaps by time.
 * @param {import('./tree.js').Tree} tree  @param {string[]} kinds  @returns {{from: number, to: number}[]}
 */
export function idleGaps(tree, kinds, least = LEAST_MS) {
  const gaps = [];
  let busyTo = 0;
  for (const node of byStart(tree)) {
    const holdsOthers = tree.first[node] >= 0 && (kinds[node] === 'agent' || kinds[node] === 'other');
    if (node === tree.orphans || holdsOthers) continue;
    if (tree.start[node] - busyTo >= least) gaps.push({ from: busyTo, to: tree.start[node] });
    busyTo = Math.max(busyTo, tree.end[node]);
  }
  if (tree.length - busyTo >= least) gaps.push({ from: busyTo, to: tree.length });
  return gaps;
}

function byStart(tree) {
  for (let i = 1; i < tree.count; i++) {
    if (tree.start[i] < tree.start[i - 1]) {
      return Int32Array.from({ length: tree.count }, (_, i2) => i2).sort((a, b) => tree.start[a] - tree.start[b]);
    }
  }
  return Int32Array.from({ length: tree.count }, (_, i) => i);
}

/** ms of all gaps. */
export function idleTotal(gaps) {
  return gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
}
