/** The strip of a run's page: fetches the lanes for what is in sight, and turns brushing into state. */

import {h} from '../paint/dom.js';
import {timeStrip} from '../paint/runstrip.js';
import {stripHead} from '../paint/runstriphead.js';
import {laneNames} from '../model/lanes.js';
import {windowOf} from './runstate.js';

const RESIZE_MS = 150;
/** The lanes of a live run are asked for again after this long at the earliest, for each GPU. */
const LIVE_MS = 1500;
const NONE = {gpus: [], from: 0, to: 1, width: 1, reason: null};

/**
 * @param {{id: string, data: object, state: object, run: object, openTest: (place: number) => void, hoverTest: (place: number) => void}} parts
 */
export function runStrip({id, data, state, run: first, openTest, hoverTest}) {
  let run = first;
  let gpu = NONE;
  let asked = '';
  let serial = 0;
  let waiting = false;
  let failed = null;
  let fetched = 0;
  /** @type {any} */
  let liveTimer = null;
  /** @type {any} */
  let timer = null;
  /** @type {[number, number]|null} */
  let brushing = null;
  let view = {tests: null, shown: null, window: 0};
  const strip = timeStrip({onWindow, onTest: openTest, onHover: hoverTest});
  const head = stripHead({
    onLanes: (lanes) => state.set({lanes}),
    onGpu: (which) => state.set({gpu: which}),
    onZoom: (zoom) => state.set({zoom}, {replace: false}),
    onClear: () => state.set({from: null, to: null, zoom: false}),
  });
  const el = h('section', {class: 'timeline', 'aria-label': 'Timeline'}, head.el, strip.el);

  function onWindow(window, done) {
    brushing = done ? null : window;
    if (!done) return show();
    if (window) state.set({from: Math.round(window[0]), to: Math.round(window[1])});
    else state.set({from: null, to: null, zoom: false});
  }

  /** The lanes that are shown of those that there are. */
  function shownLanes() {
    const names = laneNames(gpu);
    const wanted = names.filter((name) => state.get().lanes.includes(name));
    return {names, lanes: wanted.length ? wanted : names.slice(0, 1)};
  }

  function show() {
    const now = state.get();
    const window = brushing ?? windowOf(now);
    const {names, lanes} = shownLanes();
    const live = run._status === 'running';
    const zoom = now.zoom && window !== null && brushing === null;
    const toGo = run._planned ? run._planned - run._finished : 0;
    strip.update({gpu, which: now.gpu, lanes, row: run.row, tests: view.tests, shown: view.shown, window, zoom, live, end: endOf(run), toGo});
    head.update({gpus: gpu.gpus, names, lanes, which: now.gpu, window, zoom, tests: view.window, reason: noLanes(), loading: !asked || waiting});
    if (brushing === null) soon();
  }

  function noLanes() {
    if (gpu.gpus.length) return null;
    return failed ?? gpu.reason ?? run.reasons?.gpu ?? null;
  }

  /** Asks for the lanes once the strip has its size, and again when the size or the time in sight has changed. */
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(() => void fetchLanes(), asked ? RESIZE_MS : 0);
  }

  async function fetchLanes(again = false) {
    const width = strip.width();
    const [from, to] = strip.domain();
    const wanted = `${from} ${to} ${width}`;
    if (!el.isConnected || (wanted === asked && !again)) return;
    asked = wanted;
    fetched = Date.now();
    serial += 1;
    waiting = true;
    const mine = serial;
    try {
      const found = await data.gpu(id, from, to, width);
      if (mine !== serial) return;
      gpu = {...found, from: found.from ?? from, to: found.to ?? to, width: found.width ?? width};
      failed = null;
    } catch (error) {
      if (mine !== serial) return;
      failed = error.message;
    }
    waiting = false;
    show();
  }

  return {
    el,
    show,
    start() {
      new ResizeObserver(() => soon()).observe(strip.el);
      show();
    },
    choose: strip.choose,
    /** @param {{tests: object, shown: Set<number>|null, window: number}} next */
    setTests(next) {
      view = next;
      show();
    },
    /** A live run has gone on. */
    setRun(next) {
      run = next;
      show();
      if (!run.gpus?.length && !gpu.gpus.length) return;
      const wait = LIVE_MS * Math.max(gpu.gpus.length, 1) - (Date.now() - fetched);
      clearTimeout(liveTimer);
      liveTimer = setTimeout(() => void fetchLanes(true), run._status === 'running' ? Math.max(wait, 0) : 0);
    },
  };
}

/** The last moment that anything is known of. */
function endOf(run) {
  return Math.max(run.end_ms ?? 0, run.row?.wall_time_ms ?? 0, 1);
}
