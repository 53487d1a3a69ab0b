/** The overview: all spans by kind and the GPU's power in true time, and the window of the zoom over them. */
import {linear} from '../layout/coords.js';
import {timeLabel, timeTicks} from '../layout/timeaxis.js';
import {LANES, minimapMarks, powerAreas, powerRange, SPANS_HEIGHT} from '../layout/minimap.js';
import {duration, quantity} from '../model/format.js';
import {fill, h, onFrame, setStyle} from './dom.js';
import {inks, onInks} from './inks.js';
import {ZoomBrush} from './minimapbrush.js';

const POWER_HEIGHT = 32;
const POWER_GAP = 6;
const MOST_LABELS = 4;
const TICK_ROOM = 72;

export class Minimap {
  /** @type {{model: any, power: any}|null} */
  #shown = null;
  #view = null;
  #canvas = /** @type {HTMLCanvasElement} */ (h('canvas', {class: 'mm-canvas', 'aria-hidden': 'true'}));
  #axis = h('div', {class: 'mm-axis', 'aria-hidden': 'true'});
  #idle = h('div', {class: 'mm-idle', 'aria-hidden': 'true'});
  #legend = h('div', {class: 'mm-legend'});
  /** px of the time axis. */
  width = 0;

  /** @param {{onZoom: (view: {from: number, to: number}|null, done: boolean) => void}} asked */
  constructor(asked) {
    this.brush = new ZoomBrush(asked);
    this.plot = h('div', {class: 'mm-plot'}, this.#axis, h('div', {class: 'mm-lanes'}, this.#canvas, this.#idle, this.brush.el));
    this.el = h('section', {class: 'mm', 'aria-label': 'Overview'}, this.#legend, this.plot);
    new ResizeObserver(([entry]) => this.resized(entry.contentRect.width)).observe(this.plot);
    onInks(onFrame(() => this.#paint()));
  }

  /** @param {number} given px */
  resized(given) {
    const width = Math.floor(given);
    if (width === this.width) return;
    this.width = width;
    this.#paint();
  }

  #paint() {
    if (!this.#shown || this.width === 0) return;
    const {model, power} = this.#shown;
    const height = SPANS_HEIGHT + (power ? POWER_GAP + POWER_HEIGHT : 0);
    const scale = linear([0, model.tree.length || 1], [0, this.width]);
    setStyle(this.plot, {'--lanes': `${height}px`});
    fill(this.#axis, axisLabels(model.tree.length, scale, this.width));
    fill(this.#idle, idleLabels(model, scale));
    draw(this.#canvas, this.width, height, model, power);
    this.zoom(this.#view);
  }

  /** @param {any} model  @param {any} gpu as the data API gives it; null: no lane, no empty axis */
  show(model, gpu) {
    this.#shown = {model, power: powerLane(gpu)};
    paintLegend(this.#legend, this.#shown.power);
    this.el.classList.toggle('mm-no-power', !this.#shown.power);
    this.#paint();
  }

  /** @param {{from: number, to: number}|null} view */
  zoom(view) {
    this.#view = view;
    if (this.#shown && this.width > 0) this.brush.update({width: this.width, length: this.#shown.model.tree.length, view});
  }
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
    return h('span', {class: `mm-tick mm-${side}`, style: {left: `${x.toFixed(1)}px`}}, ms === 0 ? '0' : timeLabel(ms, step));
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
  const colour = (name) => inks()[name];
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
