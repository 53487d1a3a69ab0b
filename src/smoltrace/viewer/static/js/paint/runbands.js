/** Tests as bands on a canvas: passed low and grey, failed high and red, what goes on hatched. */

import {bandBox} from '../layout/bands.js';

/**
 * @param {{brush: CanvasRenderingContext2D, colour: (name: string) => string}} canvas
 * @param {object} box as lanesBox() makes it
 * @param {{starts: (number|null)[], ends: (number|null)[], row: Int16Array, failed: boolean[], judged: boolean[], shown: Set<number>|null}} bands
 *   `shown`: the tests that a filter lets through, null for all
 */
export function paintBands({brush, colour}, box, bands) {
  const {heights, y} = box.bands;
  brush.save();
  brush.beginPath();
  brush.rect(box.left, y - 2, box.right - box.left, heights.height + 4);
  brush.clip();
  for (const failed of [false, true]) {
    for (const dim of bands.shown ? [true, false] : [false]) {
      brush.fillStyle = colour(failed ? 'fail-fill' : 'mute');
      brush.globalAlpha = dim ? 0.28 : 1;
      for (let i = 0; i < bands.row.length; i += 1) {
        if (bands.row[i] < 0 || bands.failed[i] !== failed || (bands.shown !== null && bands.shown.has(i) === dim)) continue;
        const rect = placed(box, bands, i);
        if (rect.x <= box.right && rect.x + rect.width >= box.left) brush.fillRect(rect.x, y + rect.y, rect.width, rect.height);
      }
    }
  }
  brush.restore();
}

/** The band of one test with the accent around it. */
export function paintChosen({brush, colour}, box, bands, i) {
  if (!(bands.row[i] >= 0)) return;
  const rect = placed(box, bands, i);
  const [x, right] = [Math.max(rect.x, box.left), Math.min(rect.x + rect.width, box.right)];
  if (x > right) return;
  const height = Math.max(rect.height, Math.min(box.bands.heights.failed, box.bands.heights.pitch));
  const y = box.bands.y + rect.y - (height - rect.height) / 2;
  brush.strokeStyle = colour('bg');
  brush.lineWidth = 4;
  brush.strokeRect(x - 1.5, y - 1.5, right - x + 3, height + 3);
  brush.strokeStyle = colour('acc');
  brush.lineWidth = 2;
  brush.strokeRect(x - 2, y - 2, right - x + 4, height + 4);
  brush.fillStyle = colour(bands.failed[i] ? 'fail-fill' : 'mute');
  brush.fillRect(x, box.bands.y + rect.y, right - x, rect.height);
}

/** From the last thing that is known to now: something runs there. */
export function paintRunning({brush, colour}, box, from, to) {
  const {y, heights} = box.bands;
  const left = Math.max(box.scale.at(from), box.left);
  const right = Math.min(Math.max(box.scale.at(to), left + 8), box.right);
  if (right <= left) return;
  brush.save();
  brush.beginPath();
  brush.rect(left, y, right - left, heights.height);
  brush.clip();
  brush.strokeStyle = colour('ctl');
  brush.lineWidth = 1;
  for (let x = left - heights.height; x < right; x += 5) {
    brush.beginPath();
    brush.moveTo(x, y + heights.height);
    brush.lineTo(x + heights.height, y);
    brush.stroke();
  }
  brush.strokeRect(left + 0.5, y + 0.5, right - left - 1, heights.height - 1);
  brush.restore();
}

function placed(box, bands, i) {
  const test = {start: bands.starts[i], end: bands.ends[i], row: bands.row[i], failed: bands.failed[i]};
  return bandBox(box.scale, box.bands.heights, test);
}
