/** The line over the strip: what it shows, the window of time that was chosen, and the menus of GPUs and lanes. */

import {count, duration} from '../model/format.js';
import {KINDS} from '../model/lanes.js';
import {fill, h} from './dom.js';
import {menu} from './menu.js';
import {icon} from './svg.js';

/**
 * @param {{onLanes: (keys: string[]) => void, onGpu: (which: string) => void, onZoom: (on: boolean) => void, onClear: () => void}} asked
 * @returns {{el: HTMLElement, update: (state: object) => void}}
 */
export function stripHead({onLanes, onGpu, onZoom, onClear}) {
  const title = h('h2', null);
  const note = h('span', {class: 'strip-note'});
  const chosen = h('span', {class: 'strip-window', role: 'status'});
  const zoom = h('button', {type: 'button', class: 'button', on: {click: () => onZoom(!state.zoom)}}, 'Zoom in');
  const clear = h('button', {type: 'button', class: 'button', on: {click: onClear}}, 'Clear');
  const hint = h('span', {class: 'strip-hint'}, 'drag to filter the tests');
  const gpuButton = h('button', {type: 'button', class: 'button'});
  const laneButton = h('button', {type: 'button', class: 'button'});
  const el = h('div', {class: 'strip-head'}, h('div', {class: 'strip-title'}, title, note), h('div', {class: 'strip-tools'}, hint, chosen, zoom, clear, gpuButton, laneButton));
  /** @type {any} */
  let state = {gpus: [], names: [], lanes: [], which: 'all', window: null, zoom: false, tests: 0, reason: null};
  menu(gpuButton, () => gpuItems(state, onGpu), {label: 'GPUs'});
  menu(laneButton, () => laneItems(state, onLanes), {label: 'Lanes'});

  function update(patch) {
    state = {...state, ...patch};
    const {gpus, names, lanes, which, window} = state;
    fill(title, titleText(state));
    fill(note, noteText(state));
    const span = window ? `${duration(window[0])} – ${duration(window[1])} · ${count(state.tests)} ${state.tests === 1 ? 'test' : 'tests'}` : '';
    if (chosen.textContent !== span) fill(chosen, span);
    hint.hidden = Boolean(window);
    zoom.hidden = clear.hidden = !window;
    fill(zoom, state.zoom ? 'Zoom out' : 'Zoom in');
    gpuButton.hidden = gpus.length < 2;
    laneButton.hidden = !names.length || which.startsWith('each:');
    fill(gpuButton, gpuLabel(state), icon('down', 14));
    fill(laneButton, `${lanes.length} of ${names.length} lanes`, icon('down', 14));
  }

  return {el, update};
}

function titleText({gpus, which}) {
  if (!gpus.length) return 'Timeline';
  if (gpus.length === 1) return `GPU ${gpus[0].id}`;
  return gpus.some((gpu) => gpu.id === which) ? `GPU ${which}` : `${gpus.length} GPUs`;
}

function noteText({gpus, which, reason, loading}) {
  if (!gpus.length) return reason ? `No lanes: ${reason}` : loading ? 'reading the lanes' : '';
  const one = gpus.length === 1 ? gpus[0] : gpus.find((gpu) => gpu.id === which);
  const name = one?.name ?? commonName(gpus);
  return [name, h('span', {class: 'strip-how'}, name ? ' · ' : null, 'lowest and highest of each pixel · one time axis for all')];
}

function commonName(gpus) {
  const all = new Set(gpus.map((gpu) => gpu.name));
  return all.size === 1 ? [...all][0] : null;
}

function gpuLabel({gpus, which}) {
  if (which.startsWith('each:')) return `${kindTitle(which.slice(5))} of each`;
  return gpus.some((gpu) => gpu.id === which) ? `GPU ${which}` : 'All together';
}

function kindTitle(key) {
  return (KINDS.find((kind) => kind.key === key) ?? KINDS[0]).title.replace(', total', '');
}

function gpuItems({gpus, names, which}, onGpu) {
  const item = (label, value, note) => ({label, note, checked: which === value, close: true, run: () => onGpu(value)});
  return [
    item('All together', 'all'),
    ...gpus.map((gpu) => item(`GPU ${gpu.id}`, gpu.id, gpu.name)),
    ...names.map((name) => item(`${kindTitle(name)} of each`, `each:${name}`, 'a lane per GPU')),
  ];
}

function laneItems({names, lanes}, onLanes) {
  return names.map((name) => ({
    label: kindTitle(name),
    checked: lanes.includes(name),
    disabled: lanes.length === 1 && lanes[0] === name,
    run: () => onLanes(names.filter((each) => (each === name ? !lanes.includes(name) : lanes.includes(each)))),
  }));
}
