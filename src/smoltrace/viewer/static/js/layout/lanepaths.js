/** The lines and areas of a lane as points, two a bucket: its lowest and its highest value. */

import {bucketX, laneY} from './lanesbox.js';

/**
 * @typedef {{line: [number, number][], low: [number, number][], high: [number, number][]}} Piece
 *   points of one stretch without a gap, left to right
 */

/**
 * @param {object} box as lanesBox() makes it @param {{y: number, height: number}} place of the lane
 * @param {import('../model/lanes.js').Lane} lane @param {{from: number, to: number, width: number}} asked the request
 * @returns {Piece[]}
 */
export function pieces(box, place, lane, asked) {
  return lane.parts.map(([first, last]) => {
    const piece = {line: [], low: [], high: []};
    for (let i = first; i <= last; i += 1) {
      if (lane.line[i] === null) continue;
      const x = bucketX(box, asked, i);
      const low = laneY(place, lane.low[i] ?? lane.line[i], lane.top);
      const high = laneY(place, lane.high[i] ?? lane.line[i], lane.top);
      piece.low.push([x, low]);
      piece.high.push([x, high]);
      if (lane.spread) piece.line.push([x, laneY(place, lane.line[i], lane.top)]);
      else if (low - high < 0.5) piece.line.push([x, low]);
      else piece.line.push(...zigzag(piece.line.at(-1), x, low, high));
    }
    return piece;
  });
}

/** Both ends of a bucket, the nearer to where the line comes from first: no stroke goes a way twice. */
function zigzag(before, x, low, high) {
  const upFirst = before && Math.abs(before[1] - high) < Math.abs(before[1] - low);
  return upFirst ? [[x, high], [x, low]] : [[x, low], [x, high]];
}
