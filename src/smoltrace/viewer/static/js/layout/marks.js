/** The marks of the leaderboard's chart: where each run stands, what shape it has, how far its interval goes. */

const RADIUS = 5;
const RING = 9.5;
/** With more marks than this those that matter less are smaller. */
const CROWD = 150;
const SMALL = 0.6;
/** More whiskers than this are a thicket: then only those of the frontier and of pinned runs are painted. */
const MOST_WHISKERS = 60;
const SHAPES = new Map([['tool', 'circle'], ['code', 'square']]);

/**
 * @typedef {object} Mark
 * @property {string} run_id
 * @property {number} x px
 * @property {number} y px
 * @property {number} top upper end of the interval, px
 * @property {number} bottom lower end, px
 * @property {number} radius px, the ring of a pinned run included
 * @property {number} scale of its shape
 * @property {'circle'|'square'|'diamond'} shape tool agent, code agent, both
 * @property {boolean} hollow what it took is an estimate, or not known
 * @property {boolean} dominated
 * @property {boolean} frontier
 * @property {boolean} pinned
 * @property {boolean} best
 * @property {boolean} whisker whether the interval is painted without hovering
 * @property {boolean} strip
 * @property {number} rank those with more of it are painted later and labelled earlier
 * @property {{lines: string[], x: number, y: number, w: number, h: number}|null} label
 * @property {object} point what the data API said
 */

/**
 * @param {object} chart
 * @param {{x: {at: (v: number) => number}|null, y: {at: (v: number) => number}, pins: Set<string>}} scales
 * @returns {Mark[]}
 */
export function marksOf(chart, {x, y, pins}) {
  const many = chart.points.length > MOST_WHISKERS;
  return chart.points.map((point) => {
    const flags = {
      hollow: point.est === true,
      dominated: point.dominated,
      frontier: point.frontier,
      best: point.run_id === chart.best,
      pinned: pins.has(point.run_id),
    };
    const whisker = !many || flags.frontier || flags.pinned;
    const scale = chart.points.length > CROWD && !flags.frontier && !flags.pinned ? SMALL : 1;
    return mark(point, {x: x.at(point.x), y, whisker, scale, strip: false, ...flags});
  });
}

/**
 * The runs of a strip, spread over its width so that none hides another.
 *
 * @param {{x0: number, x1: number, runs: object[]}} strip
 * @param {{y: {at: (v: number) => number}, pins: Set<string>}} scales
 * @returns {Mark[]}
 */
export function stripMarks(strip, {y, pins}) {
  const runs = [...strip.runs].sort((a, b) => b.y - a.y);
  const few = runs.length <= 8;
  const columns = columnsOf(runs.map((run) => spanOf(run, y, few)));
  const count = columns.reduce((a, b) => Math.max(a, b), 0) + 1;
  const middle = (strip.x0 + strip.x1) / 2;
  const gap = Math.min(22, (strip.x1 - strip.x0 - 28) / Math.max(count - 1, 1));
  return runs.map((run, i) => {
    const x = middle + (columns[i] - (count - 1) / 2) * gap;
    const pinned = pins.has(run.run_id);
    const whisker = few || pinned;
    const flags = {hollow: true, dominated: false, frontier: false, best: false, pinned};
    const scale = runs.length > CROWD && !pinned ? SMALL : 1;
    return mark(run, {x, y, whisker, scale, strip: true, ...flags});
  });
}

/** How far a mark of a strip goes, its whisker included where there are few, px. */
function spanOf(run, y, few) {
  const at = y.at(run.y);
  const dot = {from: at - RADIUS, to: at + RADIUS};
  return few && run.ci_low !== null ? {from: Math.min(dot.from, y.at(run.ci_high)), to: Math.max(dot.to, y.at(run.ci_low))} : dot;
}

/**
 * The column of each mark of a strip: the first in which nothing is in its way, at most five.
 *
 * @param {{from: number, to: number}[]} spans px
 * @returns {number[]}
 */
function columnsOf(spans) {
  const columns = [];
  return spans.map((span, i) => {
    let column = columns.findIndex((taken) => taken.every(({from, to}) => span.to + 4 < from || span.from - 4 > to));
    if (column < 0) column = columns.length < 5 ? columns.length : i % 5;
    (columns[column] ??= []).push(span);
    return column;
  });
}

function mark(point, {x, y, ...flags}) {
  const at = y.at(point.y);
  const top = point.ci_high === null ? at : y.at(point.ci_high);
  const bottom = point.ci_low === null ? at : y.at(point.ci_low);
  const shape = SHAPES.get(point.agent_type) ?? 'diamond';
  const rank = 8 * flags.best + 4 * flags.pinned + 2 * flags.frontier + Number(flags.strip);
  const radius = flags.pinned ? RING : (RADIUS + 1) * flags.scale;
  return {run_id: point.run_id, x, y: at, top, bottom, radius, shape, rank, ...flags, label: null, point};
}
