/** The strip: GPU lanes, tests as bands and their time axis, with one crosshair and one brush over all of it. */

import {stack, testUnder, testsAt} from '../layout/bands.js';
import {axisEnd, bucketAt, lanesBox} from '../layout/lanesbox.js';
import {count, duration, durationAxis} from '../model/format.js';
import {lanesOf, valueAt} from '../model/lanes.js';
import {noteText, tagText, topText} from '../model/lanetext.js';
import {classAt} from '../model/tests.js';
import {fill, h, isPhone, onFrame, setStyle} from './dom.js';
import {freshCanvas, paintGrid, paintLanes} from './lanes.js';
import {paintBands, paintChosen, paintRunning} from './runbands.js';
import {timeBrush} from './runbrush.js';
import {crosshair} from './runcrosshair.js';

const NO_GPU = {gpus: [], from: 0, to: 1, width: 1};

/**
 * @param {{onWindow: (window: [number, number]|null, done: boolean) => void, onTest: (place: number) => void, onHover: (place: number) => void}} asked
 * @returns {{el: HTMLElement, update: (patch: object) => void, choose: (place: number) => void, width: () => number, domain: () => [number, number]}}
 */
export function timeStrip({onWindow, onTest, onHover}) {
  /** @type {any} */
  let state = {gpu: NO_GPU, which: 'all', lanes: [], row: null, tests: null, shown: null, window: null, zoom: false, live: false, end: 1, chosen: -1, toGo: 0};
  let box = null;
  let bands = null;
  let seen = {tests: null, count: -1};
  let pointed = -1;
  let under = false;
  let frozenEnd = null;
  const canvas = h('canvas', {class: 'strip-canvas', 'aria-hidden': 'true'});
  const chosen = h('canvas', {class: 'strip-canvas', 'aria-hidden': 'true'});
  const labels = h('div', {class: 'strip-labels'});
  const axis = h('div', {class: 'strip-axis'});
  const cross = crosshair();
  const brush = timeBrush({onChange: onWindow, onPoint: point, onClick: click});
  const plot = h('div', {class: 'strip-plot'}, canvas, chosen, labels, axis, brush.el, cross.el);
  const soon = onFrame(paint);
  const marksSoon = onFrame(paintMarks);
  new ResizeObserver(() => soon()).observe(plot);
  addEventListener('smoltrace:theme', () => paint()); // a canvas keeps its colours

  /** The times at both ends; while the pointer is on a live strip they stay, so that nothing moves under it. */
  function domain() {
    if (state.zoom && state.window) return state.window;
    if (!(under && frozenEnd !== null)) frozenEnd = axisEnd(state.end, state.live);
    return [0, frozenEnd];
  }

  function measureBands() {
    const {tests} = state;
    const size = tests?.count ?? 0;
    if (seen.tests === tests && seen.count === size) return;
    const columns = tests?.columns ?? {};
    const starts = columns._start_ms ?? [];
    const ends = columns._end_ms ?? [];
    const failed = Array.from({length: size}, (_, i) => classAt(columns, i) !== null);
    bands = {starts, ends, failed, ...stack(starts, ends, size)};
    seen = {tests, count: size};
  }

  function paint() {
    const width = plot.clientWidth;
    if (!width) return;
    measureBands();
    const [from, to] = domain();
    const lanes = lanesOf(state.gpu, state.which, state.lanes);
    box = lanesBox({width, from, to, lanes: lanes.length, rows: bands.rows, narrow: isPhone()});
    box.shown = lanes;
    setStyle(plot, {height: `${box.height}px`});
    const made = freshCanvas(canvas, width, box.height);
    paintGrid(made, box);
    paintLanes(made, box, lanes, state.gpu);
    paintBands(made, box, {...bands, shown: state.shown});
    if (state.live) paintRunning(made, box, lastEnd(), state.end);
    paintMarks();
    paintLabels(lanes);
    brush.update(box, state.zoom ? null : state.window);
  }

  /** What is chosen and what is pointed at lie on a canvas of their own: they change with every move. */
  function paintMarks() {
    if (!box) return;
    const made = freshCanvas(chosen, box.width, box.height);
    for (const i of new Set([state.chosen, pointed])) if (i >= 0 && i < bands.row.length) paintChosen(made, box, bands, i);
  }

  function lastEnd() {
    let last = 0;
    for (const end of bands.ends) if (end > last) last = end;
    return last;
  }

  function paintLabels(lanes) {
    const whole = state.zoom ? null : state.row;
    fill(labels, lanes.map((lane, i) => laneLabel(box, lane, box.lanes[i], whole)), bandsLabel());
    const {ticks} = box.axis;
    const step = ticks.length > 1 ? ticks[1].ms - ticks[0].ms : box.to - box.from;
    fill(axis, ticks.map(({ms, x}) => h('span', {style: {left: `${x}px`, top: `${box.axis.y + 4}px`}}, durationAxis(ms, step))));
  }

  function bandsLabel() {
    const rows = bands.rows > 1 ? `${count(bands.rows)} side by side` : '';
    const middle = box.bands.top + Math.max(box.bands.heights.height, 18) / 2;
    const top = box.narrow ? box.bands.top - 20 : rows ? Math.max(middle - 16, box.bands.top) : middle - 8;
    const words = h('div', {class: 'lane-text', style: {top: `${top}px`}}, h('b', null, 'Tests'), rows ? h('span', null, rows) : null);
    if (!state.live || !state.toGo || state.zoom) return words;
    const left = Math.min(box.scale.at(state.end) + 14, box.right - 64);
    return [words, h('span', {class: 'band-note', style: {left: `${left}px`, top: `${middle - 8}px`}}, `${count(state.toGo)} to go`)];
  }

  function point(x, y) {
    const wasUnder = under;
    under = x !== null;
    if (!under || !box || x < box.left || x > box.right) {
      cross.hide();
      mark(-1);
      if (wasUnder && !under && state.live) soon();
      return;
    }
    const ms = box.scale.invert(x);
    const bucket = bucketAt(state.gpu, ms);
    const values = box.shown.map((lane, i) => {
      const sample = bucket < 0 ? null : valueAt(lane, bucket);
      return sample && {place: box.lanes[i], value: sample.value, top: lane.top, text: tagText(lane, sample)};
    });
    const place = inBands(y) ? bandAt(x, y) : testsAt(bands, ms)[0] ?? -1;
    cross.show(box, x, values.filter(Boolean), footText(ms, place));
    mark(place);
  }

  const inBands = (y) => y >= box.bands.y - 4 && y <= box.bands.y + box.bands.heights.height + 4;

  function bandAt(x, y) {
    const {y: top, heights} = box.bands;
    return testUnder({...bands, scale: box.scale, heights}, x, Math.min(Math.max(y - top, 0), heights.height - 0.01));
  }

  function footText(ms, place) {
    const id = place < 0 ? null : state.tests.columns.test_id[place];
    const others = testsAt(bands, ms).length - 1;
    return [duration(ms), id && (others > 0 ? `${id} +${others}` : id)].filter(Boolean).join(' · ');
  }

  function mark(place) {
    if (place === pointed) return;
    pointed = place;
    onHover(place);
    marksSoon();
  }

  function click(x, y) {
    const place = box && inBands(y) ? bandAt(x, y) : -1;
    if (place >= 0) onTest(place);
  }

  function update(patch) {
    state = {...state, ...patch};
    soon();
  }

  /** Marks the band of a test, −1 for none. */
  function choose(place) {
    if (place === state.chosen) return;
    state.chosen = place;
    marksSoon();
  }

  return {el: plot, update, choose, domain, width: () => Math.max(Math.round(box ? box.right - box.left : plot.clientWidth), 2)};
}

/** Title, one line that sums it up, and both ends of the scale. */
function laneLabel(box, lane, place, row) {
  const right = `${box.width - (box.narrow ? box.right : box.left - 8)}px`;
  const top = topText(lane.unit, lane.top);
  const end = (text, y) => h('span', {class: 'lane-end', style: {right, top: `${y}px`}}, text);
  const ends = box.narrow ? end(`0 to ${top}`, place.labelY + 2) : [end(top, place.y - 6), end('0', place.y + place.height - 13)];
  const y = place.labelY + (box.narrow ? 0 : 6);
  return h('div', {class: 'lane-label', 'data-lane': lane.key}, h('div', {class: 'lane-text', style: {top: `${y}px`}}, h('b', null, lane.title), h('span', null, noteText(lane, row))), ends);
}
