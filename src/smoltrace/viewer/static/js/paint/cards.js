/** The three cards beside the chart: best, cheapest within its interval, lowest energy. On a phone they are rows. */

import {cardWords} from '../model/cardwords.js';
import {shortAgent} from '../model/runname.js';
import {href} from '../model/state.js';
import {chip} from './chip.js';
import {h} from './dom.js';

/**
 * @param {object} cards of the chart's answer
 * @returns {HTMLElement[]}
 */
export function cardParts(cards) {
  return cardWords(cards).map(card);
}

/** @param {import('../model/cardwords.js').Card} words */
function card(words) {
  const id = words.title.replace(/\W+/g, '-').toLowerCase();
  const heading = h('h2', {class: 'card-title', id}, words.title);
  if (words.row === null) {
    const none = h('p', {class: 'card-none'}, h('span', {'aria-hidden': 'true'}, '— '), words.none);
    return h('section', {class: 'card', 'aria-labelledby': id}, heading, none);
  }
  const {run_id: runId, model, agent_type: agent} = words.row;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': id, 'data-run': runId},
    heading,
    h(
      'div',
      {class: 'card-line'},
      h('p', {class: 'card-value'}, h('strong', null, words.value), h('span', {class: 'card-unit'}, words.unit), estimated(words.est)),
      h('p', {class: 'card-aside'}, words.aside),
    ),
    h('p', {class: 'card-run'}, link(runId, model), chip(shortAgent(agent))),
    h('p', {class: 'card-notes'}, words.notes.map((note, i) => [i > 0 ? ' · ' : null, note.text, estimated(note.est)])),
  );
}

function link(runId, model) {
  return h('a', {href: href('run', {id: runId}), title: model}, ownerAndName(model));
}

/** The part before the last slash apart from the name, so that a narrow place can leave it out. @param {string|null} model */
export function ownerAndName(model) {
  const name = model ?? 'unnamed';
  const slash = name.lastIndexOf('/');
  const owner = slash < 0 ? null : h('span', {class: 'owner'}, name.slice(0, slash + 1));
  return [owner, h('span', {class: 'name'}, name.slice(slash + 1))];
}

function estimated(est) {
  return est ? h('i', {class: 'est', title: 'estimated, not measured'}, ' est.') : null;
}
