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
const HINTS = [['j k', 'span'], ['n p', 'match'], ['e', 'error'], ['c', 'critical path'], ['z', 'fit']];

/**
 * @param {{onTab: (tab: string) => void, onClose: () => void, onLeave: () => void}} asked
 */
export function spanPanel({onTab, onClose, onLeave}) {
  const title = h('h2', {class: 'panel-title', tabindex: '-1'});
  const facts = h('div', {class: 'panel-facts'});
  const body = h('div', {class: 'panel-body', role: 'tabpanel', tabindex: '0', id: uid('panel')});
  const tabs = h('div', {class: 'tabs', role: 'tablist', 'aria-label': 'Views of the span', on: {keydown: onArrow}}, Object.entries(TITLES).map(([name, label]) => tabButton(name, label)));
  const close = h('button', {type: 'button', class: 'icon-button panel-close', 'aria-label': 'Close', title: 'Close', on: {click: onClose}}, icon('close'));
  const tools = h('div', {class: 'panel-tools'});
  const foot = h('div', {class: 'panel-foot', 'aria-hidden': 'true'}, HINTS.map(([names, label]) => h('span', null, caps(names), label)));
  const el = h('aside', {class: 'panel', 'aria-label': 'Span'}, h('div', {class: 'panel-head'}, title, tools, close, facts), tabs, body, foot);
  let shown = {node: -2, tab: ''};

  function tabButton(name, label) {
    return h('button', {type: 'button', role: 'tab', class: 'tab', id: uid('tab'), 'data-tab': name, 'aria-controls': body.id, on: {click: () => onTab(name)}}, label);
  }

  function onArrow(event) {
    const names = Object.keys(TITLES);
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    const at = names.indexOf(event.target.dataset.tab);
    const next = names[(at + step + names.length) % names.length];
    onTab(next);
    tabs.querySelector(`[data-tab=${next}]`).focus();
    event.preventDefault();
    event.stopPropagation();
  }

  el.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    onLeave();
  });

  function paintTabs(tab) {
    for (const button of tabs.children) {
      const on = button.dataset.tab === tab;
      button.setAttribute('aria-selected', String(on));
      button.setAttribute('tabindex', on ? '0' : '-1');
      if (on) body.setAttribute('aria-labelledby', button.id);
    }
  }

  return {
    el,
    focus: () => title.focus({preventScroll: true}),
    /**
     * @param {import('./messages.js').PanelReader|null} reader null: no span is chosen
     * @param {string} tab
     * @param {'total'|'self'} mode
     */
    async show(reader, tab, mode) {
      const asked = (shown = {node: reader ? reader.node : -1, tab});
      paintTabs(tab);
      if (!reader || reader.model.kindOf(reader.node) === 'orphans') {
        fill(tools);
        paintTitle(title, facts, reader, mode);
        return fill(body, h('p', {class: 'panel-note'}, reader ? `${count(reader.model.tree.size[reader.node] - 1)} spans name a parent that is not in the trace.` : 'Choose a span in the tree.'));
      }
      paintTitle(title, facts, reader, mode);
      fill(tools, copyButton(async () => JSON.stringify(await reader.detailOf(reader.node), null, 2), 'Copy the span as JSON'));
      // what is there already stays until the next is, unless that takes long: nothing flickers from span to span
      const slow = setTimeout(() => shown === asked && fill(body, h('p', {class: 'panel-note'}, 'Loading …')), 300);
      try {
        const detail = await reader.detailOf(reader.node);
        if (shown === asked) paintBody(body, reader, detail, tab);
      } catch (error) {
        if (shown === asked) fill(body, h('p', {class: 'panel-note', role: 'alert'}, `This span cannot be read: ${error.message}`));
      } finally {
        clearTimeout(slow);
      }
      return undefined;
    },
  };
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
    cost.text === null && cost.why === 'no model call' ? null : h(cost.text === null ? 'span' : 'b', {class: 'fact'}, figure(cost.text, {why: cost.why, showWhy: true, title: exactWords(figures, node).cost})),
    energy.text === null ? null : fact(energy.text, 'Wh'),
    wrong === null ? null : h('span', {class: 'fact fact-error'}, `✕ ${wrong}`),
  ];
}
