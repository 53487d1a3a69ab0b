/** The head of a run: what it is and how it stands, its headlines, and what it ran with. */

import {dateTime} from '../model/format.js';
import {facts, headlines, standing} from '../model/headline.js';
import {shortAgent, shortModel, shortName} from '../model/runname.js';
import {chip, statusChip} from './chip.js';
import {fill, h} from './dom.js';
import {copy} from './menu.js';
import {figure} from './number.js';
import {icon} from './svg.js';

/**
 * What the title row says.
 * @param {object} run @param {(patch: object, page: string) => string} link
 * @returns {{text: string, options: object}} arguments of shell.setTitle
 */
export function titleOf(run, link) {
  const {row, manifest} = run;
  const model = manifest?.model ?? row.model;
  const {kind, text} = standing(run);
  const tasks = manifest?.tasks?.name ?? row.dataset_used ?? null;
  const after = [
    chip(row.agent_type === 'both' ? 'tool + code' : shortAgent(row.agent_type)),
    row.provider && row.provider !== model ? chip(shortName(row.provider), 'plain', {title: row.provider}) : null,
    statusChip(kind, {text}),
    h('span', {class: 'run-note', title: run.run_id}, [tasks === null ? null : shortName(tasks), `started ${dateTime(run._t0_unix_ms ?? row.evaluation_date)}`].filter(Boolean).join(' · ')),
  ];
  const name = shortModel(model);
  return {text: name, options: {crumbs: [{label: 'Runs', href: link({}, 'runs')}], after, page: `${name}, ${text}`}};
}

/**
 * Says how to go on with a run that was broken off; nothing for any other. It comes in above what the reader may be
 * pointing at: while the pointer is there it waits.
 */
export function resumeNote() {
  const el = h('div', {class: 'resume', hidden: true});
  let shown = null;
  let wanted = true;

  function hide(yes) {
    wanted = yes;
    const pointed = el.parentElement?.querySelector('.timeline:hover, .run-tests:hover');
    if (!pointed || yes === el.hidden) el.hidden = yes;
    else pointed.addEventListener('pointerleave', () => (el.hidden = wanted), {once: true});
  }

  return {
    el,
    update(run) {
      const {kind, resume, finished, planned} = standing(run);
      hide(kind !== 'incomplete');
      const key = `${kind} ${resume} ${finished} ${planned}`;
      if (kind !== 'incomplete' || key === shown) return;
      shown = key;
      const left = planned ? planned - finished : null;
      const words = left > 0 ? `This run was broken off: ${left} of ${planned} tests have not run. To go on with it:` : 'This run was broken off before its end was written. To finish it:';
      fill(el, h('span', null, words), resume ? commandLine(resume) : null);
    },
  };
}

/** A command that is copied by its button. @param {string} text */
function commandLine(text) {
  const button = h('button', {type: 'button', class: 'button copy-command', on: {click: () => copy(text, button)}}, icon('copy', 14), 'Copy');
  return h('span', {class: 'command-line'}, h('code', null, text), button);
}

/** The row of headlines. The cells stay where they are; only what has changed is written anew. */
export function headlineRow() {
  const el = h('dl', {class: 'headlines'});
  const cells = new Map();
  const environment = h('div', {class: 'headline headline-environment'});
  let open = false;
  let environmentWas = '';
  let factsWere = '';

  function cell({key, label}) {
    const value = h('dd', {class: 'headline-value'});
    const note = h('dd', {class: 'headline-note'});
    const box = h('div', {class: 'headline', 'data-headline': key}, h('dt', null, label), value, note);
    el.append(box);
    return {value, note, was: ''};
  }

  const titleText = ({est, exact}) => (exact && est ? `${exact}, estimated` : exact);

  function update(run) {
    for (const line of headlines(run)) {
      if (!cells.has(line.key)) cells.set(line.key, cell(line));
      const found = cells.get(line.key);
      const now = JSON.stringify(line);
      if (now === found.was) continue;
      found.was = now;
      fill(found.value, figure(line.text, {est: line.est, bound: line.bound, unit: line.unit, why: line.why, title: titleText(line)}));
      fill(found.note, line.note ?? '\u00a0');
      found.note.title = line.note ?? '';
    }
    if (!environment.isConnected) el.append(environment);
    const now = JSON.stringify([run.manifest?.versions, run.manifest?.hardware ?? run.row.hardware]);
    if (now === environmentWas) return;
    environmentWas = now;
    fill(environment, environmentCell(run));
  }

  const panel = h('div', {class: 'run-facts', id: 'run-facts', hidden: true});
  const toggle = h('button', {type: 'button', class: 'link', 'aria-expanded': 'false', 'aria-controls': 'run-facts', on: {click: () => show(!open)}}, 'Everything it ran with');

  function environmentCell(run) {
    const versions = run.manifest?.versions ?? {};
    const programs = ['smoltrace', 'smolagents', 'python'].filter((name) => versions[name]).map((name) => `${name} ${versions[name]}`);
    const hardware = run.manifest?.hardware ?? run.row.hardware;
    return [h('dt', null, 'Environment'), h('dd', {class: 'headline-line', title: hardware}, hardware ?? 'hardware not told'), h('dd', {class: 'headline-line', title: programs.join(' · ')}, programs.join(' · ')), h('dd', null, toggle)];
  }

  function show(yes) {
    open = yes;
    panel.hidden = !yes;
    toggle.setAttribute('aria-expanded', String(yes));
  }

  return {
    el,
    panel,
    update(run) {
      update(run);
      const now = facts(run);
      const text = JSON.stringify(now);
      if (text === factsWere) return;
      factsWere = text;
      fill(panel, now.map(factGroup));
    },
    toggle: () => show(!open),
  };
}

function factGroup({title, facts: pairs}) {
  return h('section', null, h('h2', null, title), h('dl', null, pairs.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', {title: value}, value)))));
}
