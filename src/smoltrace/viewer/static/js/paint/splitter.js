/** The line between tree and panel: dragged, or moved by the arrow keys. The width is this reader's, not the trace's. */
import {h} from './dom.js';

const NAME = 'smoltrace-panel';
const LEAST = 320;
const LEFT_OVER = 480;
const STEP = 24;

/**
 * @param {{onWidth: (px: number) => void, usual: () => number}} asked
 */
export function splitter({onWidth, usual}) {
  let width = remembered() ?? usual();
  let hold = null;
  const el = h('div', {class: 'splitter', role: 'separator', tabindex: '0', 'aria-orientation': 'vertical', 'aria-label': 'Width of the panel', 'aria-valuemin': String(LEAST)});

  function set(next, done) {
    const most = Math.max(LEAST, innerWidth - LEFT_OVER);
    width = Math.round(Math.min(Math.max(next, LEAST), most));
    el.setAttribute('aria-valuenow', String(width));
    el.setAttribute('aria-valuemax', String(most));
    onWidth(width);
    if (done) remember(width);
  }

  el.addEventListener('pointerdown', (event) => {
    hold = {x: event.clientX, width};
    el.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  el.addEventListener('pointermove', (event) => hold && set(hold.width + hold.x - event.clientX, false));
  const release = () => {
    if (hold) set(width, true);
    hold = null;
  };
  el.addEventListener('pointerup', release);
  el.addEventListener('pointercancel', release);
  el.addEventListener('dblclick', () => set(usual(), true));
  el.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: STEP, ArrowRight: -STEP}[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    set(width + step, true);
    event.preventDefault();
    event.stopPropagation();
  });
  addEventListener('resize', () => set(remembered() ?? usual(), false));
  set(width, false);
  return {el};
}

function remembered() {
  try {
    const kept = Number(localStorage.getItem(NAME));
    return kept >= LEAST ? kept : null;
  } catch {
    return null; // a page from a file may have no storage
  }
}

function remember(width) {
  try {
    localStorage.setItem(NAME, String(width));
  } catch {
    return; // as above: the width holds for this page
  }
}
