/** Which rows of a long table are in sight, and where they stand. */

/** Browsers cut elements off at 16 to 33 million px; above this the scroll bar's way is shorter than the rows' way. */
export const MAX_HEIGHT = 8_000_000;

/**
 * @typedef {object} RowsWindow
 * @property {number} first index of the first row to be in the document
 * @property {number} last index after the last one
 * @property {number} offset where the first one stands, px from the body's top
 * @property {number} height of the body, px
 * @property {number} scale px of rows a px of scrolling
 */

/**
 * @param {{count: number, rowHeight: number, scrollTop: number, viewport: number, overscan?: number, nudge?: number}} view px, rows;
 *   `nudge`: px of rows beside the place that the scroll bar tells, which in a scaled table is a rough one
 * @returns {RowsWindow}
 */
export function rowsWindow({count, rowHeight, scrollTop, viewport, overscan = 8, nudge = 0}) {
  const total = count * rowHeight;
  const height = Math.min(total, MAX_HEIGHT);
  const scale = scaleOf(total, height, viewport);
  const top = Math.min(Math.max(scrollTop, 0), Math.max(height - viewport, 0));
  const virtualTop = Math.min(Math.max(top * scale + nudge, 0), Math.max(total - viewport, 0));
  const first = Math.max(Math.floor(virtualTop / rowHeight) - overscan, 0);
  const last = Math.min(Math.ceil((virtualTop + viewport) / rowHeight) + overscan, count);
  return {first: Math.min(first, count), last: Math.max(last, 0), offset: top + first * rowHeight - virtualTop, height, scale};
}

/** @param {number} total @param {number} height @param {number} viewport */
function scaleOf(total, height, viewport) {
  return height < total && height > viewport ? (total - viewport) / (height - viewport) : 1;
}

/**
 * How far to scroll so that a row is wholly in sight: not at all where it already is.
 * @param {{count: number, rowHeight: number, scrollTop: number, viewport: number, index: number}} view
 * @returns {number} the new scrollTop, px
 */
export function scrollTopFor({count, rowHeight, scrollTop, viewport, index}) {
  const total = count * rowHeight;
  const scale = scaleOf(total, Math.min(total, MAX_HEIGHT), viewport);
  const row = Math.min(Math.max(index, 0), Math.max(count - 1, 0)) * rowHeight;
  const top = scrollTop * scale;
  if (row < top) return row / scale;
  if (row + rowHeight > top + viewport) return Math.max(row + rowHeight - viewport, 0) / scale;
  return scrollTop;
}
