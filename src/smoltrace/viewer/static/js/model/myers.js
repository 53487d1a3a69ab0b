/**
 * The shortest edit script between two sequences (Myers, "An O(ND) difference algorithm and its variations",
 * Algorithmica 1, 1986), with a bound on the work.
 */

/**
 * The common subsequence as pairs of indexes.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b compared by ===
 * @param {number} limit most deletions and insertions that are looked for between common beginning and common end
 * @returns {{pairs: [number, number][], whole: boolean}} `whole` is false where the limit was met: then what lies
 *   between the common beginning and the common end counts as different
 */
export function commonPairs(a, b, limit) {
  const pairs = [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) pairs.push([start, start++]);
  let ends = 0;
  while (ends < a.length - start && ends < b.length - start && a[a.length - 1 - ends] === b[b.length - 1 - ends]) ends += 1;
  const middle = between(a, b, start, a.length - ends, b.length - ends, limit);
  if (middle) pairs.push(...middle);
  for (let i = ends; i > 0; i -= 1) pairs.push([a.length - i, b.length - i]);
  return { pairs, whole: middle !== null };
}

function between(a, b, start, aEnd, bEnd, limit) {
  const [n, m] = [aEnd - start, bEnd - start];
  if (!n || !m) return [];
  const most = Math.min(limit, n + m);
  const reach = new Int32Array(2 * most + 3);
  const history = [];
  for (let d = 0; d <= most; d += 1) {
    history.push(reach.slice(most - d, most + d + 3));
    for (let k = -d; k <= d; k += 2) {
      const at = most + 1 + k;
      let x = k === -d || (k !== d && reach[at - 1] < reach[at + 1]) ? reach[at + 1] : reach[at - 1] + 1;
      while (x < n && x - k < m && a[start + x] === b[start + x - k]) x += 1;
      reach[at] = x;
      if (x >= n && x - k >= m) return walkBack(history, n, m, start);
    }
  }
  return null;
}

/** From the end to the beginning: each round's history holds how far the rounds before it had come. */
function walkBack(history, n, m, start) {
  const pairs = [];
  let [x, y] = [n, m];
  for (let d = history.length - 1; d >= 0; d -= 1) {
    const reach = history[d]; // of the diagonals −d−1 to d+1
    const k = x - y;
    const at = k + d + 1;
    const down = k === -d || (k !== d && reach[at - 1] < reach[at + 1]);
    const before = d === 0 ? 0 : down ? reach[at + 1] : reach[at - 1];
    const snake = d === 0 || down ? before : before + 1;
    for (; x > snake; x -= 1, y -= 1) pairs.push([start + x - 1, start + y - 1]);
    [x, y] = [before, before - (down ? k + 1 : k - 1)];
  }
  return pairs.reverse();
}
