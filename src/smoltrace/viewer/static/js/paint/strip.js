/** All tests at a glance: a lane a run, failures dark, with a bracket under those that the table shows. */
import {bracket, stripLayout} from '../layout/matrix.js';
import {fill, h} from './dom.js';
import {s} from './svg.js';

const FOOT = 22;
const WORDS_ROOM = 80;
/** px of a letter of its text, about. */
const LETTER = 6;

/**
 * @param {{onJump: (index: number) => void}} options
 * @returns {{el: HTMLElement, paint: (rows: import('../model/cases.js').CaseRow[], runs: {name: string}[]) => void,
 *   mark: (first: number, last: number) => void}}
 */
export function caseStrip({ onJump }) {
  const names = h('div', { class: 'strip-names', 'aria-hidden': 'true' });
  const place = h('div', { class: 'strip-place' });
  const el = h('div', { class: 'strip' }, names, place);
  let now = { rows: [], runs: [], strip: null, sight: [0, 0] };

  function paint(rows, runs) {
    now = { ...now, rows, runs };
    fill(names, runs.map((run) => h('div', { title: run.name }, run.name)));
    draw();
  }

  function draw() {
    const width = Math.floor(place.clientWidth);
    el.hidden = !now.rows.length;
    if (!width || !now.rows.length) return fill(place);
    now.strip = stripLayout(now.runs.map((_, r) => now.rows.map((row) => row.cells[r])), width);
    const height = now.strip.height + FOOT;
    const foot = s('g', { class: 'strip-foot' });
    const box = { class: 'strip-svg', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label(now.rows), on: { click: jump } };
    fill(place, s('svg', box, paths(now.strip.marks), border(now, width), foot));
    drawFoot();
    return undefined;
  }

  function drawFoot() {
    const foot = place.querySelector('.strip-foot');
    if (!foot || !now.strip) return;
    const found = bracket(now.strip, now.sight[0], now.sight[1], now.rows.length);
    if (!found) return void fill(foot);
    const y = now.strip.height + 4;
    const { x, width } = found;
    const end = x + width + 6;
    const limit = now.strip.at(now.rows.findIndex((row) => row.group !== 'disagree'));
    const room = limit - end > WORDS_ROOM || end > limit + WORDS_ROOM * 4;
    fill(
      foot,
      s('path', { class: 'strip-bracket', d: `M${x + 0.75} ${y - 3}v5h${Math.max(width - 1.5, 1)}v-5` }),
      room ? s('text', { class: 'strip-text', x: end, y: y + 12 }, 'shown below') : null,
    );
  }

  function jump(event) {
    const x = event.clientX - place.getBoundingClientRect().left;
    onJump(now.strip.index(x));
  }

  function mark(first, last) {
    if (now.sight[0] === first && now.sight[1] === last) return;
    now.sight = [first, last];
    drawFoot();
  }

  new ResizeObserver(draw).observe(place);
  return { el, paint, mark };
}

/** One path a state: a thousand tests are still four elements. */
function paths(marks) {
  const states = [...new Set(marks.map((mark) => mark.state))];
  return states.map((state) => {
    const d = marks.filter((mark) => mark.state === state).map((mark) => `M${mark.x.toFixed(2)} ${mark.y}h${mark.width.toFixed(2)}v${mark.height}h${(-mark.width).toFixed(2)}z`).join('');
    return s('path', { class: `strip-${state}`, d });
  });
}

/** Where agreement begins, and what is agreed on. */
function border({ rows, strip }, width) {
  const first = rows.findIndex((row) => row.group !== 'disagree');
  if (first < 0) return null;
  const x = Math.max(0.5, Math.round(strip.at(first)) - 0.5);
  const text = agreement(rows);
  const wide = text.length * LETTER;
  const end = x + wide + 5 > width;
  const left = end ? Math.max(x - 5, Math.min(wide, width)) : x + (first > 0 ? 5 : 0);
  return [
    first > 0 ? s('path', { class: 'strip-border', d: `M${x} 0V${strip.height + 8}` }) : null,
    s('text', { class: 'strip-text', x: left, y: strip.height + 16, 'text-anchor': end ? 'end' : 'start' }, text),
  ];
}

function agreement(rows) {
  const many = (group) => rows.filter((row) => row.group === group).length;
  const parts = [[many('failed'), 'failed'], [many('mixed'), 'in part'], [many('passed'), 'passed']].filter(([n]) => n);
  const partial = many('partial');
  const agree = parts.length ? `all agree: ${parts.map(([n, word]) => `${n} ${word}`).join(', ')}` : '';
  return [agree, partial ? `${partial} not in every run` : ''].filter(Boolean).join(' · ');
}

function label(rows) {
  const many = rows.filter((row) => row.group === 'disagree').length;
  return `${rows.length} tests: ${many} disagree; ${agreement(rows) || 'none agree'}`;
}
