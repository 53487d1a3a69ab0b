/** The Trace screen: one test's spans on a time axis, beside what was said in them. */
import {openingSpan, traceModel} from '../model/tracemodel.js';
import {urlState} from '../model/state.js';
import {DEFAULTS, TraceView} from '../model/traceview.js';
import {h, isPhone, setStyle} from '../paint/dom.js';
import {findBar} from '../paint/findbar.js';
import {inks} from '../paint/inks.js';
import {Minimap} from '../paint/minimap.js';
import {emptyPanel} from '../paint/shell.js';
import {sheetGrip} from '../paint/sheetgrip.js';
import {SpanPanel} from '../paint/spanpanel.js';
import {splitter} from '../paint/splitter.js';
import {traceHeader} from '../paint/traceheader.js';
import {traceTools} from '../paint/tracetools.js';
import {SpanTree} from '../paint/tree.js';
import {soon} from './soon.js';
import {TraceControl} from './tracecontrol.js';
import {traceCopies} from './tracecopy.js';
import {SpanDetails} from './tracedetails.js';
import {traceKeys} from './tracekeys.js';

/** A key that is held down moves on faster than spans can be read. */
const PANEL_AFTER = 90;
const FIND_AFTER = 80;
const FIND_AGAIN_AFTER = 120;
const PANEL_SHARE = 0.335;
const PANEL_USUAL = 380;
/** So much of the buckets must hold a sample for more of them to hold more. */
const FULL = 0.8;
const MOST_BUCKETS = 2_000;

/** @param {{data: any, shell: any}} seams */
export async function showTrace({data, shell}) {
  const state = urlState(DEFAULTS);
  const {run, trace} = state.get();
  if (!run || !trace) {
    shell.main.append(emptyPanel('The address names no trace: it needs run= and trace=. Choose one under Traces.'));
    return;
  }
  const given = await data.trace(run, trace);
  const model = traceModel({run_id: run, trace_id: trace, ...given});
  const view = new TraceView(model);
  view.read(state.get());
  build({data, shell, state, model, view});
}

/** @param {any} seams */
function build({data, shell, state, model, view}) {
  inks(); // while the page is nearly empty: later the same question costs a layout
  const details = new SpanDetails(data, model, soon(() => control.findAgain(), FIND_AGAIN_AFTER));
  const copies = traceCopies(model, details, shell);
  const linkTo = (trace) => state.link({run: model.given.run_id, trace, ...kept(view)}, 'trace');
  const asked = wishes(() => control, {focusTree: () => parts.tree.el.focus(), more: () => moreRows(model, copies, linkTo)});
  const parts = makeParts(asked);
  const panel = soon(() => paintPanel(parts.panel, {view, details, select: asked.onSelect}), PANEL_AFTER);
  const painters = {
    tree: (change) => parts.tree.update(view.scene(), change),
    show: (node) => parts.tree.show(node),
    panel,
    find: () => parts.find.show(view.q, view.found.length, view.at),
    zoom: () => parts.overview.zoom(view.zoom),
    tools: () => parts.tools.show(switches(view)),
    page: () => parts.tree.page(),
  };
  const control = new TraceControl(view, state, painters);
  lay(shell, parts, asked.onClose);
  traceHeader(shell, model, {onError: asked.onError, onMarkdown: copies.markdown, onJson: copies.json, linkTo});
  parts.overview.show(model, model.given.gpu);
  paintAll(view, painters);
  measure(parts);
  traceKeys(control, {
    tree: parts.tree.el,
    find: parts.find.focus,
    focusPanel: () => view.selected >= 0 && parts.panel.focus(),
    other: (way) => model.given.header?.[way] && location.assign(linkTo(model.given.header[way])),
  });
  followAddress(state, view, control, painters);
  void sharpen(data, model, parts.overview);
}

/** The trace comes with the GPU's power in some hundred buckets: where there is more to see, the overview gets one a px. */
async function sharpen(data, model, overview) {
  const {gpu, run_id: run} = model.given;
  const samples = Math.max(0, ...(gpu?.gpus ?? []).map((one) => one.lanes?.power?.min.filter((value) => value != null).length ?? 0));
  if (samples < FULL * (gpu?.width ?? Infinity) || overview.width <= gpu.width) return;
  const {zero, length} = model.tree;
  // without it the overview stays as it is
  const finer = await data.gpu(run, zero, zero + length, Math.min(overview.width, MOST_BUCKETS)).catch(() => null);
  if (finer) overview.show(model, finer);
}

/** What the parts of the screen ask for, handed on to the control. */
function wishes(control, {focusTree, more}) {
  return {
    onSelect: (node) => control().select(node),
    onFold: (node) => control().fold(node),
    onZoomTo: (node) => control().zoomTo(node),
    onLevel: (step) => control().level(step),
    onZoom: (zoom) => control().zoom(zoom),
    onMode: (mode) => control().setMode(mode),
    onCritical: () => control().toggleCritical(),
    onGaps: () => control().toggleGaps(),
    onError: () => control().error(1),
    onFit: () => control().fit(),
    onQuery: soon((text) => control().find(text), FIND_AFTER),
    onStep: (way) => control().findStep(way),
    onTab: (tab) => control().tab(tab),
    onClose() {
      control().close();
      focusTree();
    },
    onLeave: focusTree,
    more,
  };
}

function makeParts(asked) {
  const find = findBar(asked);
  return {overview: new Minimap(asked), tree: new SpanTree(asked), find, tools: traceTools(find.el, asked), panel: new SpanPanel(asked)};
}

/** On a phone the title row has no room for these. */
function moreRows(model, copies, linkTo) {
  const {header} = model.given;
  const ways = ['previous', 'next'].filter((way) => header?.[way]);
  return [
    {label: 'Copy as Markdown', run: () => void copies.markdown()},
    {label: 'Copy as JSON', run: () => void copies.json()},
    ...ways.map((way) => ({label: way === 'next' ? 'Next test' : 'Previous test', href: linkTo(header[way])})),
  ];
}

/** What the reader keeps on the way to another test. */
function kept(view) {
  const written = view.write();
  const names = ['tab', 'mode', 'q', 'gaps', 'critical'];
  return Object.fromEntries(names.filter((name) => written[name] !== DEFAULTS[name]).map((name) => [name, written[name]]));
}

function switches(view) {
  const {model} = view;
  return {mode: view.mode, critical: view.critical, short: view.short, zoomed: view.zoom !== null, gaps: model.gaps.length > 0, errors: model.failures};
}

function paintAll(view, painters) {
  painters.zoom();
  painters.tree({});
  painters.tools();
  painters.find();
  painters.panel();
  if (view.selected >= 0) painters.show(view.selected);
}

/** The first picture does not wait for the observers of sizes, which answer a frame later. All is asked before anything is changed. */
function measure({tree, overview}) {
  const width = overview.plot.clientWidth;
  const box = {width: tree.el.clientWidth, height: tree.el.clientHeight};
  overview.resized(width);
  tree.resized(box);
}

function lay(shell, {overview, tools, tree, panel}, onClose) {
  panel.el.prepend(sheetGrip({sheet: panel.el, onClose}).el);
  const split = h('div', {class: 'trace-split'}, h('div', {class: 'trace-left'}, tools.el, tree.el));
  const usual = () => Math.round(Math.max(PANEL_USUAL, PANEL_SHARE * innerWidth));
  split.append(splitter({onWidth: (px) => setStyle(split, {'--panel-width': `${px}px`}), usual}).el, panel.el);
  shell.setFill(true);
  shell.main.append(overview.el, split);
}

/** The panel shows the selected span; on a wide page, before one is selected, the one that the trace opens with. */
function paintPanel(panel, {view, details, select}) {
  const node = view.selected >= 0 || isPhone() ? view.selected : openingSpan(view.model);
  panel.el.classList.toggle('panel-shut', view.selected < 0);
  const shared = {
    model: view.model,
    pattern: view.pattern,
    detailOf: (at) => details.of(at),
    testOf: () => details.test(),
    wholeOfTest: (ref) => details.wholeOfTest(ref),
    at: (at) => ({...shared, node: at, whole: (ref) => details.whole(at, ref)}),
    select,
  };
  void panel.show(node < 0 ? null : shared.at(node), view.tab, view.mode);
}

/** Back and Forward show what the address says. */
function followAddress(state, view, control, painters) {
  addEventListener('popstate', () => {
    view.read(state.get());
    paintAll(view, painters);
  });
  addEventListener('pagehide', () => control.flush());
}
