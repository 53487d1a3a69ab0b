/**
 * The tests × runs matrix: columns of its table, and the strip that shows all tests at once.
 */
import {linear} from './coords.js';

const MARK = 13;
const GAP = 1;
const LANE = 13;
const FAILED = 11;
const PASSED = 5;

/**
 * The columns of the table for the room there is: what has no room is left out, tests and runs always stay.
 * @param {number} width px
 * @param {number} runs
 * @param {boolean} agents whether rows differ by kind of agent
 * @returns {{test: number, task: boolean, agent: number, category: number, run: number}} px; 0: left out
 */
export function matrixColumns(width, runs, agents) {
  const phone = width < 560;
  const run = Math.max(phone ? 56 : 58, Math.min(116, Math.floor((width * 0.45) / runs)));
  const test = phone ? 112 : 188;
  const agent = agents ? 54 : 0;
  let rest = width - 24 - test - agent - run * runs;
  const task = rest >= 150;
  if (task) rest -= 220;
  return { test, task, agent, category: rest >= 130 ? 120 : 0, run };
}

/**
 * Every test as a mark in a lane of its run. Where there are more tests than px, a mark stands for several and shows
 * the worst of them.
 * @param {{state: import('../model/cases.js').State}[][]} lanes of each run its cells, in the order of the rows
 * @param {number} width px
 * @returns {{marks: {x: number, y: number, width: number, height: number, state: string}[], height: number, lane: number,
 *   per: number, at: (index: number) => number, index: (x: number) => number}} `per`: tests a mark; `at`: left edge of
 *   a test, px; `index`: the test at a place
 */
export function stripLayout(lanes, width) {
  const count = lanes[0]?.length ?? 0;
  const slots = Math.max(1, Math.min(count, Math.floor(width / 2)));
  const per = Math.max(1, Math.ceil(count / slots));
  const many = Math.ceil(count / per);
  const pitch = Math.min(MARK + GAP, width / Math.max(many, 1));
  const scale = linear([0, Math.max(count, 1)], [0, (pitch * Math.max(count, 1)) / per]);
  const marks = lanes.flatMap((cells, lane) => {
    const made = [];
    for (let slot = 0; slot < many; slot += 1) {
      const state = worst(cells, slot * per, Math.min((slot + 1) * per, count));
      if (state === 'missing') continue;
      const height = state === 'failed' || state === 'mixed' ? FAILED : PASSED;
      const gap = pitch >= 3 ? GAP : 0;
      made.push({ x: slot * pitch, y: lane * LANE + (LANE - height) / 2, width: Math.max(pitch - gap, 1), height, state });
    }
    return made;
  });
  const index = (x) => Math.max(0, Math.min(count - 1, Math.floor(scale.invert(x))));
  return { marks, height: lanes.length * LANE, lane: LANE, per, at: scale.at, index };
}

function worst(cells, from, to) {
  const order = ['failed', 'mixed', 'unknown', 'passed', 'missing'];
  let found = order.length - 1;
  for (let i = from; i < to && found > 0; i += 1) found = Math.min(found, order.indexOf(cells[i].state));
  return order[found];
}

/**
 * The bracket under the strip: which of its tests are in sight below.
 * @param {{at: (index: number) => number}} strip
 * @param {number} first @param {number} last after the last one in sight
 * @param {number} count
 * @returns {{x: number, width: number} | null} null where all are in sight
 */
export function bracket(strip, first, last, count) {
  if (!count || (first <= 0 && last >= count)) return null;
  const x = strip.at(Math.max(0, first));
  return { x, width: Math.max(4, strip.at(Math.min(last, count)) - x) };
}
