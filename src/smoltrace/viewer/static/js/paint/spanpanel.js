/** The panel of one span: what it is and used, and four views of it. */
import {costWords, durationWords, energyWords, errorWords, exactWords, speedWords, tokenWords} from '../model/spanwords.js';
import {count} from '../model/format.js';
import {caps} from './keys.js';
import {copyButton} from './code.js';
import {fill, h, uid} from './dom.js';
import {figure} from './number.js';
import {kindMark} from './kind.js';
import {icon} from './svg.js';
import {attributesView, errorBanner, inOutView, messagesView, rawView} from './spanviews.js';

const VIEWS = {messages: messagesView, io: inOutView, attributes: attributesView, raw: rawView};
const TITLES = {messages: 'Messages', io: 'Input / Output', attributes: 'Attributes', raw: 'Raw'};
const SLOW = 300;
const HINTS = [['j k', 'span'], ['n p', 'match'], ['e', 'error'], ['c', 'critical path'], ['z', 'fit']];

export class SpanPanel {
  #title = h('h2', {class: 'panel-title', tabindex: '-1'});
  #facts = h('div', {class: 'panel-facts'});
  #tools = h('div', {class: 'panel-tools'});
  #body = h('div', {class: 'panel-body', role: 'tabpanel', tabindex: '0', id: uid('panel')});
  /** What was asked for last: an answer that comes later than another question is not shown. */
  #asked = {};

  /** @param {{onTab: (tab: string) => void, onClose: () => void, onLeave: () => void}} asked */
  constructor({onTab, onClose, onLeave}) {
    this.onTab = onTab;
    const buttons = Object.entries(TITLES).map(([name, label]) => this.#tabButton(name, label));
    this.tabs = h('div', {class: 'tabs', role: 'tablist', 'aria-label': 'Views of the span', on: {keydown: (event) => this.#onArrow(event)}}, buttons);
    const close = h('button', {type: 'button', class: 'icon-button panel-close', 'aria-label': 'Close', title: 'Close', on: {click: onClose}}, icon('close'));
    const foot = h('div', {class: 'panel-foot', 'aria-hidden': 'true'}, HINTS.map(([names, label]) => h('span', null, caps(names), label)));
    const head = h('div', {class: 'panel-head'}, this.#title, this.#tools, close, this.#facts);
    this.el = h('aside', {class: 'panel', 'aria-label': 'Span'}, head, this.tabs, this.#body, foot);
    this.el.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      onLeave();
    });
  }

  #tabButton(name, label) {
    const props = {type: 'button', role: 'tab', class: 'tab', id: uid('tab'), 'data-tab': name, 'aria-controls': this.#body.id};
    return h('button', {...props, on: {click: () => this.onTab(name)}}, label);
  }

  #onArrow(event) {
    const names = Object.keys(TITLES);
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    const next = names[(names.indexOf(event.target.dataset.tab) + step + names.length) % names.length];
    this.onTab(next);
    this.tabs.querySelector(`[data-tab=${next}]`).focus();
    event.preventDefault();
    event.stopPropagation();
  }

  #paintTabs(tab) {
    for (const button of this.tabs.children) {
      const on = button.dataset.tab === tab;
      button.setAttribute('aria-selected', String(on));
      button.setAttribute('tabindex', on ? '0' : '-1');
      if (on) this.#body.setAttribute('aria-labelledby', button.id);
    }
  }

  focus() {
    this.#title.focus({preventScroll: true});
  }

  /**
   * @param {import('./messages.js').PanelReader|null} reader null: no span is chosen
   * @param {string} tab
   * @param {'total'|'self'} mode
   */
  async show(reader, tab, mode) {
    const asked = (this.#asked = {});
    this.#paintTabs(tab);
    paintTitle(this.#title, this.#facts, reader, mode);
    fill(this.#tools);
    if (!reader || reader.model.kindOf(reader.node) === 'orphans') {
      const lost = reader ? `${count(reader.model.tree.size[reader.node] - 1)} spans name a parent that is not in the trace.` : 'Choose a span in the tree.';
      return fill(this.#body, h('p', {class: 'panel-note'}, lost));
    }
    fill(this.#tools, copyButton(async () => JSON.stringify(await reader.detailOf(reader.node), null, 2), 'Copy the span as JSON'));
    // what is there already stays until the next is, unless that takes long: nothing flickers from span to span
    const slow = setTimeout(() => this.#asked === asked && fill(this.#body, h('p', {class: 'panel-note'}, 'Loading …')), SLOW);
    try {
      const detail = await reader.detailOf(reader.node);
      if (this.#asked === asked) paintBody(this.#body, reader, detail, tab);
    } catch (error) {
      if (this.#asked === asked) fill(this.#body, h('p', {class: 'panel-note', role: 'alert'}, `This span cannot be read: ${error.message}`));
    } finally {
      clearTimeout(slow);
    }
    return undefined;
  }
}

function paintBody(body, reader, detail, tab) {
  const doubled = reader.model.doubled(reader.node) ? h('p', {class: 'panel-note'}, 'Another span bears the same id: what is told here is the record of the first.') : null;
  fill(body, doubled, tab === 'raw' ? null : errorBanner(reader, detail), VIEWS[tab](reader, detail));
  body.scrollTop = 0;
}

function paintTitle(title, facts, reader, mode) {
  if (!reader) {
    fill(title, 'No span');
    return fill(facts);
  }
  const {model, node} = reader;
  const kind = model.kindOf(node);
  const step = kind === 'chat' || kind === 'tool' ? stepOf(model, node) : null;
  const word = kind === 'other' || kind === 'orphans' || kind === 'step' ? '' : kind + ' ';
  fill(title, kindMark(kind), h('bdi', {class: 'panel-name'}, word + model.labelOf(node).slice(0, 400)), step === null ? null : h('span', {class: 'note'}, `step ${step}`));
  return fill(facts, factsOf(model, node, mode));
}

function stepOf(model, node) {
  for (let up = node; up >= 0; up = model.tree.parent[up]) if (model.columns.step?.[up] != null) return model.columns.step[up];
  return null;
}

function factsOf(model, node, mode) {
  const own = mode === 'self' || model.tree.first[node] < 0;
  const figures = own ? model.figures.own : model.figures.total;
  const fact = (text, unit) => (text === null ? null : h('span', {class: 'fact'}, h('b', null, text), unit ? ` ${unit}` : null));
  const time = durationWords(model, node, mode === 'self');
  const used = tokenWords(figures, node).text?.split(' / ');
  const cost = costWords(figures, node);
  const energy = energyWords(figures, node);
  const wrong = model.tree.errors[node] > 0 ? errorWords(model, node) : null;
  return [
    time ? fact(time, mode === 'self' ? 'own' : '') : null,
    used ? fact(used[0], 'in') : null,
    used ? fact(used[1], 'out') : null,
    fact(speedWords(model, node), ''),
    cost.text === null && cost.why !== 'price unknown' ? null : h(cost.text === null ? 'span' : 'b', {class: 'fact'}, figure(cost.text, {est: cost.est, why: cost.why, showWhy: true, title: exactWords(figures, node).cost})),
    energy.text === null ? null : fact(energy.text, 'Wh'),
    wrong === null ? null : h('span', {class: 'fact fact-error'}, `✕ ${wrong}`),
  ];
}
