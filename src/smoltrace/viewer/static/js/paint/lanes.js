/** GPU lanes on a canvas: neutral areas, one line, the lowest and highest of each pixel. Knows no values, only px. */

import {pieces} from '../layout/lanepaths.js';

/**
 * A canvas that fits the strip and the screen's pixels, and the colours of the page as it is now.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height px of the page
 * @returns {{brush: CanvasRenderingContext2D, colour: (name: string) => string}}
 */
export function freshCanvas(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const brush = canvas.getContext('2d');
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  return {brush, colour: (name) => style.getPropertyValue(`--${name}`).trim()};
}

/** Lines at round times through all lanes and the bands. */
export function paintGrid({brush, colour}, box) {
  brush.strokeStyle = colour('line');
  brush.lineWidth = 1;
  for (const {x} of box.axis.ticks) stroke(brush, [[crisp(x), 0], [crisp(x), box.axis.y]]);
}

/**
 * @param {{brush: CanvasRenderingContext2D, colour: (name: string) => string}} canvas
 * @param {object} box @param {import('../model/lanes.js').Lane[]} lanes @param {{from: number, to: number, width: number}} asked
 */
export function paintLanes(canvas, box, lanes, asked) {
  lanes.forEach((lane, i) => {
    paintScale(canvas, box, box.lanes[i]);
    for (const piece of pieces(box, box.lanes[i], lane, asked)) paintPiece(canvas, box, box.lanes[i], lane, piece);
  });
}

/** The line of the highest value, dotted, and the one of 0. */
function paintScale({brush, colour}, box, {y, height}) {
  brush.lineWidth = 1;
  brush.strokeStyle = colour('line2');
  brush.setLineDash([1, 3]);
  stroke(brush, [[box.left, y + 0.5], [box.right, y + 0.5]]);
  brush.setLineDash([]);
  stroke(brush, [[box.left, y + height - 0.5], [box.right, y + height - 0.5]]);
}

function paintPiece({brush, colour}, box, place, lane, piece) {
  const bottom = place.y + place.height - 0.5;
  brush.save();
  brush.beginPath();
  brush.rect(box.left, place.y - 2, box.right - box.left, place.height + 4);
  brush.clip();
  brush.fillStyle = colour('tx3');
  const ground = [[piece.high.at(-1)[0], bottom], [piece.high[0][0], bottom]];
  brush.globalAlpha = lane.spread ? 0.08 : 0.15;
  area(brush, [...(lane.spread ? piece.low : piece.high), ...ground]);
  brush.globalAlpha = 0.3;
  if (lane.spread) area(brush, [...piece.high, ...[...piece.low].reverse()]);
  brush.globalAlpha = 1;
  brush.strokeStyle = colour('tx2');
  brush.lineWidth = 1;
  brush.lineJoin = 'round';
  if (piece.line.length === 1) brush.fillRect(piece.line[0][0] - 1, piece.line[0][1] - 1, 2, 2);
  else stroke(brush, piece.line);
  brush.restore();
}

function area(brush, points) {
  brush.beginPath();
  points.forEach(([x, y], i) => (i ? brush.lineTo(x, y) : brush.moveTo(x, y)));
  brush.closePath();
  brush.fill();
}

function stroke(brush, points) {
  brush.beginPath();
  points.forEach(([x, y], i) => (i ? brush.lineTo(x, y) : brush.moveTo(x, y)));
  brush.stroke();
}

/** A line of 1 px is sharp on half px. */
function crisp(x) {
  return Math.round(x - 0.5) + 0.5;
}
