/** Labels of the leaderboard's marks: what they say, which of them are wanted, and what they must not cover. */

import {shortAgent, shortModel} from '../model/runname.js';
import {placeLabels} from './labels.js';

/** With more runs than this only the frontier, the best and the pinned ones are labelled. */
const MOST_LABELS = 40;
const LINE_HEIGHT = 14;

/** @typedef {import('./marks.js').Mark} Mark */

/**
 * Gives each mark its label, or leaves null where it has no room.
 *
 * @param {Mark[]} marks changed in place
 * @param {object} around
 * @param {{x0: number, x1: number, y0: number, y1: number}} around.plot
 * @param {{x0: number, x1: number}[]} around.strips
 * @param {[number, number][]} around.frontier
 * @param {object|null} around.band
 * @param {boolean} around.phone
 * @param {(text: string, strong?: boolean) => number} around.measure
 */
export function giveLabels(marks, {plot, strips, frontier, band, phone, measure}) {
  const few = marks.length <= MOST_LABELS;
  const texts = labelTexts(marks, phone);
  const wanted = [...marks]
    .filter((mark) => few || mark.frontier || mark.pinned || mark.best)
    .sort((a, b) => b.rank - a.rank || a.y - b.y)
    .map((mark) => wantedLabel(mark, texts.get(mark), {plot, strips, measure}));
  const bandText = band?.text ? [{x: band.text.x, y: band.text.y, w: band.textWidth ?? 0, h: 16}] : [];
  const obstacles = [...marks.flatMap(obstaclesOf), ...bandText];
  const places = placeLabels(wanted, obstacles, segments(frontier));
  for (const mark of marks) {
    const place = places.get(mark.run_id);
    if (place !== undefined) mark.label = {...place, lines: linesOf(mark, texts.get(mark))};
  }
}

/**
 * What a label says: the model's last name, and the kind of agent where the chart has more than one.
 *
 * @param {Mark[]} marks
 * @param {boolean} phone
 * @returns {Map<Mark, {model: string, agent: string|null}>}
 */
function labelTexts(marks, phone) {
  const kinds = new Set(marks.map((mark) => mark.point.agent_type));
  return new Map(
    marks.map((mark) => {
      const model = shortModel(mark.point.model, phone ? 14 : 26);
      return [mark, {model, agent: kinds.size > 1 ? shortAgent(mark.point.agent_type) : null}];
    }),
  );
}

function linesOf(mark, {model, agent}) {
  if (agent === null) return [model];
  return mark.strip ? [model, agent] : [`${model} · ${agent}`];
}

function wantedLabel(mark, text, {plot, strips, measure}) {
  const lines = linesOf(mark, text);
  const width = Math.ceil(Math.max(...lines.map((line) => measure(line, !mark.dominated))));
  const strip = strips.find(({x0, x1}) => mark.strip && mark.x >= x0 && mark.x <= x1);
  const [x0, x1] = strip === undefined ? [plot.x0, plot.x1] : [strip.x0 - 14, strip.x1 + 20];
  return {
    id: mark.run_id,
    x: mark.x,
    y: mark.y,
    radius: mark.radius,
    top: mark.whisker ? mark.top : mark.y,
    bottom: mark.whisker ? mark.bottom : mark.y,
    width,
    height: lines.length * LINE_HEIGHT,
    kind: mark.strip ? 'strip' : mark.frontier ? 'frontier' : 'plain',
    bounds: {x: x0, y: plot.y0 - 12, w: x1 - x0, h: plot.y1 - plot.y0 + 12},
  };
}

function obstaclesOf({x, y, radius, top, bottom, whisker}) {
  const dot = {x: x - radius - 1, y: y - radius - 1, w: 2 * radius + 2, h: 2 * radius + 2};
  return whisker ? [dot, {x: x - 4, y: top - 1, w: 8, h: bottom - top + 2}] : [dot];
}

function segments(corners) {
  return corners.slice(1).map(([x2, y2], i) => ({x1: corners[i][0], y1: corners[i][1], x2, y2}));
}
