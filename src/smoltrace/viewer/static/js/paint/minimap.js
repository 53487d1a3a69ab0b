/** The overview: all spans by kind and the GPU's power in true time, and the window of the zoom over them. */
import {linear} from '../layout/coords.js';
import {timeTicks} from '../layout/timeaxis.js';
import {LANES, minimapMarks, powerAreas, powerRange, SPANS_HEIGHT} from '../layout/minimap.js';
import {duration, durationAxis, quantity} from '../model/format.js';
import {fill, h, onFrame, setStyle} from './dom.js';
import {zoomBrush} from './minimapbrush.js';

const POWER_HEIGHT = 32;
const POWER_GAP = 6;
const MOST_LABELS = 4;
const TICK_ROOM = 72;

/**
 * @param {{onZoom: (view: {from: number, to: number}|null, done: boolean) => void}} asked
 */
export function minimap({onZoom}) {
  /** @type {{model: any, power: any}|null} */
  let shown = null;
  let width = 0;
  let view = null;
  const canvas = /** @type {HTMLCanvasElement} */ (h('canvas', {class: 'mm-canvas', 'aria-hidden': 'true'}));
  const axis = h('div', {class: 'mm-axis', 'aria-hidden': 'true'});
  const idle = h('div', {class: 'mm-idle', 'aria-hidden': 'true'});
  const legend = h('div', {class: 'mm-legend'});
  const brush = zoomBrush({onZoom});
  const plot = h('div', {class: 'mm-plot'}, axis, h('div', {class: 'mm-lanes'}, canvas, idle, brush.el));
  const el = h('section', {class: 'mm', 'aria-label': 'Overview'}, legend, plot);

  function paint() {
    if (!shown || width === 0) return;
    const {model, power} = shown;
    const height = SPANS_HEIGHT + (power ? POWER_GAP + POWER_HEIGHT : 0);
    const scale = linear([0, model.tree.length || 1], [0, width]);
    setStyle(plot, {'--lanes': `${height}px`});
    fill(axis, axisLabels(model.tree.length, scale, width));
    fill(idle, idleLabels(model, scale));
    draw(canvas, width, height, model, power);
    brush.update({width, length: model.tree.length, view});
  }

  new ResizeObserver(([entry]) => {
    const next = Math.floor(entry.contentRect.width);
    if (next === width) return;
    width = next;
    paint();
  }).observe(plot);
  addEventListener('smoltrace:theme', onFrame(paint));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onFrame(paint));

  return {
    el,
    /** @param {any} model  @param {any} gpu as the data API gives it; null: no lane, no empty axis */
    show(model, gpu) {
      shown = {model, power: powerLane(gpu)};
      paintLegend(legend, shown.power);
      el.classList.toggle('mm-no-power', !shown.power);
      paint();
    },
    /** @param {{from: number, to: number}|null} zoom */
    zoom(zoom) {
      view = zoom;
      if (shown && width) brush.update({width, length: shown.model.tree.length, view});
    },
  };
}

/** The power of the GPU that drew the most; with several, its name is told. */
function powerLane(gpu) {
  let best = null;
  for (const one of gpu?.gpus ?? []) {
    const lane = one.lanes?.power;
    const range = lane ? powerRange(lane) : null;
    if (range && (!best || range.high > best.range.high)) best = {lane, range, name: one.name ?? one.id, of: gpu.gpus.length};
  }
  return best;
}

function paintLegend(legend, power) {
  const spans = h('div', {class: 'mm-name'}, h('b', null, 'Spans'), h('span', null, 'by kind'));
  if (!power) return fill(legend, spans);
  const {low, high} = power.range;
  const watts = h('div', {class: 'mm-watts', 'aria-hidden': 'true'}, h('span', null, `${Math.ceil(high)} W`), h('span', null, '0'));
  const range = `${quantity(low)} – ${quantity(high)} W`;
  const title = power.of > 1 ? `${power.name}, the one of ${power.of} GPUs that drew the most` : power.name;
  return fill(legend, spans, h('div', {class: 'mm-name mm-power', title}, h('b', null, 'GPU power'), h('span', null, range)), watts);
}

function axisLabels(length, scale, width) {
  const times = timeTicks(length, width, TICK_ROOM);
  const step = times[1] ?? length;
  return times.map((ms) => {
    const x = scale.at(ms);
    const side = x < 12 ? 'start' : x > width - 24 ? 'end' : 'middle';
    return h('span', {class: `mm-tick mm-${side}`, style: {left: `${x.toFixed(1)}px`}}, durationAxis(ms, step));
  });
}

function idleLabels(model, scale) {
  const wide = model.gaps.map((gap) => ({...gap, px: scale.at(gap.to) - scale.at(gap.from)})).filter((gap) => gap.px >= 84);
  const longest = wide.sort((a, b) => b.px - a.px).slice(0, MOST_LABELS);
  return longest.map((gap) => h('span', {style: {left: `${scale.at((gap.from + gap.to) / 2).toFixed(1)}px`}}, `idle ${duration(gap.to - gap.from)}`));
}

function draw(canvas, width, height, model, power) {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  setStyle(canvas, {width: `${width}px`, height: `${height}px`});
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  drawSpans(pen, minimapMarks(model.tree, model.kinds, width), colour);
  if (power) {
    pen.translate(0, SPANS_HEIGHT + POWER_GAP);
    drawPower(pen, power, width, colour);
  }
}

function drawSpans(pen, marks, colour) {
  const colours = {agent: '--k-agent', step: '--k-step', chat: '--k-chat', tool: '--k-tool', failed: '--fail-fill'};
  for (const [lane, {y, height}] of Object.entries(LANES)) {
    pen.fillStyle = colour(colours[lane]);
    const runs = marks[lane];
    // an outline of merged steps would say that they are one: they are drawn as a thin line
    const thin = lane === 'step';
    for (let k = 0; k < runs.length; k += 2) pen.fillRect(runs[k], thin ? y + 2 : y, runs[k + 1] - runs[k], thin ? 1.5 : height);
  }
  pen.strokeStyle = colour('--k-step');
  pen.lineWidth = 1;
  const {y, height} = LANES.step;
  for (let k = 0; k < marks.boxes.length; k += 2) {
    pen.strokeRect(Math.round(marks.boxes[k]) + 0.5, y + 0.5, Math.max(1, Math.round(marks.boxes[k + 1] - marks.boxes[k]) - 1), height - 1);
  }
}

/** The ground from 0 to the lowest value pale, from the lowest to the highest dark: min and max of each bucket. */
function drawPower(pen, power, width, colour) {
  const areas = powerAreas(power.lane, {width, height: POWER_HEIGHT, max: Math.ceil(power.range.high) || 1});
  pen.fillStyle = colour('--line2');
  pen.fillRect(0, POWER_HEIGHT - 0.5, width, 1);
  for (const {top, bottom} of areas) {
    pen.fillStyle = colour('--line');
    shape(pen, [...top, [top[top.length - 1][0], POWER_HEIGHT], [top[0][0], POWER_HEIGHT]]);
    pen.fill();
    pen.fillStyle = colour('--tx3');
    shape(pen, [...top.map(([x, y]) => [x, y - 0.5]), ...bottom.map(([x, y]) => [x, y + 0.5]).reverse()]);
    pen.fill();
  }
}

function shape(pen, points) {
  pen.beginPath();
  points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
}
