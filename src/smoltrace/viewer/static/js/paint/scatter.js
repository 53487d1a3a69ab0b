/**
 * The leaderboard's chart: success against what it took. Every run of it is a link, and a row of the table below.
 * Pointer and keyboard get the same: the tooltip, opening, pinning.
 */

import {chartBox, nearest, neighbour, tipPlace} from '../layout/chartbox.js';
import {AXES} from '../model/axes.js';
import {interval} from '../model/format.js';
import {chartParts, spokenName, whisker} from './chartsvg.js';
import {tipParts} from './charttip.js';
import {fill, h, isPhone, onFrame, setStyle, uid} from './dom.js';
import {legend} from './legend.js';
import {offAxis} from './offaxis.js';
import {s} from './svg.js';

const HEIGHT = 322;
const PHONE_HEIGHT = 226;
/** Px around a mark in which a pointer means it. */
const REACH = 20;
const STEPS = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1};

/** @typedef {import('../layout/marks.js').Mark} Mark */

/**
 * @typedef {object} Does
 * @property {(runId: string) => void} onOpen
 * @property {(runId: string) => void} onPin
 * @property {(runId: string) => object|null} rowOf the run's row, where it is at hand
 */

export class Scatter {
  /** @type {object|null} */
  #chart = null;
  #pins = [];
  /** @type {import('../layout/chartbox.js').ChartBox|null} */
  #box = null;
  /** The run that Tab reaches. @type {string|null} */
  #current = null;
  /** @type {Mark|null} */
  #active = null;
  #tip = h('div', {class: 'chart-tip', role: 'tooltip', id: uid('tip'), hidden: true});
  #over = s('g', {class: 'chart-over', 'aria-hidden': 'true'});
  #svg = s('svg', {class: 'chart-svg', role: 'group'});
  #stage = h('div', {class: 'chart-stage'}, this.#svg, this.#tip);
  #caption = h('figcaption', {class: 'sr'});
  #below = h('div', {class: 'chart-below'});
  #measure = measurer(this.#stage);
  /** Of the stage when it was painted, px. */
  #width = 0;

  /** @param {Does} does */
  constructor(does) {
    this.does = does;
    this.el = h('figure', {class: 'chart'}, this.#caption, this.#stage, this.#below);
    const follow = onFrame((event) => this.#follow(event));
    this.#stage.addEventListener('pointermove', follow);
    this.#stage.addEventListener('pointerleave', follow);
    this.#svg.addEventListener('click', (event) => this.#click(event));
    this.#svg.addEventListener('keydown', (event) => this.#key(event));
    this.#svg.addEventListener('focusin', (event) => this.#focus(event));
    this.#svg.addEventListener('focusout', () => this.#show(null));
    new ResizeObserver(onFrame(() => this.#fit())).observe(this.#stage);
  }

  /** @param {object} chart the data API's answer @param {string[]} pins run ids */
  update(chart, pins) {
    this.#chart = chart;
    this.#pins = pins;
    this.#paint();
  }

  /** Shows where a run stands, without its tooltip. @param {string|null} runId */
  highlight(runId) {
    this.#show(this.#markOf(runId), false);
  }

  /** The height follows from what is painted: only another width is a reason to paint again. */
  #fit() {
    if (this.#stage.clientWidth !== this.#width) this.#paint();
  }

  #paint() {
    const chart = this.#chart;
    if (chart === null || this.#stage.clientWidth === 0) return;
    const phone = isPhone();
    this.#width = this.#stage.clientWidth;
    const {tick} = AXES[chart.axis];
    const bandText = chart.band && !phone ? `interval of the best run, ${interval(...chart.band).replace('–', ' – ')} %` : '';
    const size = {width: this.#width, height: phone ? PHONE_HEIGHT : HEIGHT};
    const texts = {measure: this.#measure, tickText: tick, bandText};
    this.#box = chartBox({chart, ...size, phone, pins: new Set(this.#pins), ...texts});
    if (this.#markOf(this.#current) === null) this.#current = chart.best ?? this.#box.marks[0]?.run_id ?? null;
    const focused = this.#svg.contains(document.activeElement) ? document.activeElement.dataset.run : null;
    this.#svg.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    this.#svg.setAttribute('height', String(size.height));
    const parts = chartParts(this.#box, {phone, bandText, nameOf: (mark) => this.#nameOf(mark), current: this.#current});
    fill(this.#svg, parts, this.#noPoints(), this.#over);
    this.#describe(phone);
    this.#show(null);
    // What had the focus has it again, and its tooltip with it.
    if (focused) this.#link(focused)?.focus({preventScroll: true});
  }

  #nameOf({point, strip}) {
    return spokenName(point, strip ? point.why : `${AXES[this.#chart.axis].text(point.x)}, ${AXES[this.#chart.axis].title}`);
  }

  /** An empty plot says why it is empty. */
  #noPoints() {
    if (this.#chart.points.length > 0) return null;
    const {plot} = this.#box;
    const words = this.#chart.unplaced.length > 0 ? `None of these runs has a known ${AXES[this.#chart.axis].title}` : 'No run to draw';
    return s('text', {class: 'chart-none', x: (plot.x0 + plot.x1) / 2, y: (plot.y0 + plot.y1) / 2, 'text-anchor': 'middle'}, words);
  }

  #describe(phone) {
    const chart = this.#chart;
    const {title} = AXES[chart.axis];
    const runs = this.#box.marks.length;
    this.#svg.setAttribute('aria-label', `Success against ${title}: ${runs} runs, arrow keys go from one to the next`);
    fill(this.#caption, `Success against ${title}. The table below has every run of this chart with all its numbers.`);
    fill(this.#below, phone ? offAxis(chart) : legend(this.#box, chart));
  }

  /** Shows a mark as the one that is meant, with its tooltip or without. @param {Mark|null} mark */
  #show(mark, withTip = true) {
    this.#active = mark;
    const halo = mark === null ? null : s('circle', {class: 'mark-halo', cx: mark.x, cy: mark.y, r: 12});
    fill(this.#over, mark === null ? null : whisker({...mark, dominated: false}), halo);
    this.#tip.hidden = mark === null || !withTip;
    this.#svg.classList.toggle('pointing', mark !== null && withTip);
    if (mark === null || !withTip) return;
    fill(this.#tip, tipParts(mark.point, this.does.rowOf(mark.run_id), this.#chart.axis));
    const size = {w: this.#tip.offsetWidth, h: this.#tip.offsetHeight};
    const place = tipPlace(mark, size, {width: this.#stage.clientWidth, height: this.#stage.clientHeight + 40});
    setStyle(this.#tip, {left: `${place.x}px`, top: `${place.y}px`});
  }

  #follow(event) {
    const mark = event.type === 'pointerleave' ? null : this.#markAt(event);
    if (mark?.run_id !== this.#active?.run_id) this.#show(mark);
  }

  #click(event) {
    const mark = this.#markAt(event);
    if (mark === null) return;
    if (event.shiftKey) {
      event.preventDefault();
      this.does.onPin(mark.run_id);
    } else if (event.target.closest('a') === null) {
      this.does.onOpen(mark.run_id);
    }
  }

  #key(event) {
    if (event.key === 'Escape') this.#show(null);
    const by = STEPS[event.key];
    if (by === undefined || this.#box === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const mark = neighbour(this.#box.marks, event.target.dataset?.run ?? this.#current, by);
    if (mark === null) return;
    this.#link(this.#current)?.setAttribute('tabindex', '-1');
    this.#current = mark.run_id;
    this.#link(mark.run_id)?.setAttribute('tabindex', '0');
    this.#link(mark.run_id)?.focus({preventScroll: true});
  }

  #focus(event) {
    const mark = this.#markOf(event.target.dataset?.run);
    if (mark === null) return;
    event.target.setAttribute('aria-describedby', this.#tip.id);
    this.#show(mark);
  }

  #markAt(event) {
    if (this.#box === null) return null;
    const rect = this.#svg.getBoundingClientRect();
    return nearest(this.#box.marks, event.clientX - rect.left, event.clientY - rect.top, REACH);
  }

  #markOf(runId) {
    return this.#box?.marks.find((mark) => mark.run_id === runId) ?? null;
  }

  #link(runId) {
    return runId === null ? null : this.#svg.querySelector(`a[data-run="${CSS.escape(runId)}"]`);
  }
}

/** Widths of texts in the page's own font; the size is that of labels. @param {HTMLElement} near */
function measurer(near) {
  const context = document.createElement('canvas').getContext('2d');
  let family = '';
  return (text, strong = false) => {
    if (family === '') family = getComputedStyle(near).fontFamily || 'sans-serif';
    context.font = `${strong ? 500 : 400} 11.5px ${family}`;
    return context.measureText(text).width;
  };
}
