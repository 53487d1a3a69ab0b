/**
 * The Pareto frontier of success over what it takes.
 *
 * A run is dominated when another one takes no more and succeeds no less, and is better in one of the two. The others
 * are the frontier. Two runs with the same x and y dominate neither, so both are on it.
 */

/**
 * @param {{run_id: string, x: number, y: number}[]} points finite x and y
 * @returns {string[]} the run ids of the frontier, by rising x; runs at the same place by their id
 */
export function frontierOf(points) {
  const sorted = [...points].sort((a, b) => a.x - b.x || b.y - a.y || compareText(a.run_id, b.run_id));
  const found = [];
  let best = -Infinity;
  let bestX = null;
  for (const point of sorted) {
    const sharesPlace = point.y === best && point.x === bestX;
    if (point.y > best || sharesPlace) {
      found.push(point.run_id);
      best = point.y;
      bestX = point.x;
    }
  }
  return found;
}

/**
 * The corners of the frontier as steps: what success is to be had for at most x.
 *
 * @param {{x: number, y: number}[]} points the frontier's points by rising x
 * @param {number} endX where the last step ends
 * @returns {[number, number][]} corners, each step first along x, then up
 */
export function steps(points, endX) {
  const corners = [];
  for (const {x, y} of points) {
    if (corners.length > 0) corners.push([x, corners[corners.length - 1][1]]);
    corners.push([x, y]);
  }
  if (corners.length > 0 && endX > corners[corners.length - 1][0]) {
    corners.push([endX, corners[corners.length - 1][1]]);
  }
  return corners;
}

/**
 * Order of code points, the same as Python's for str: `<` on strings compares UTF-16 units, which differs where one
 * name has characters beyond the basic plane.
 *
 * @param {string} a
 * @param {string} b
 * @returns {number}
 */
export function compareText(a, b) {
  if (a === b) return 0;
  const left = [...a];
  const right = [...b];
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i += 1) {
    const difference = left[i].codePointAt(0) - right[i].codePointAt(0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
