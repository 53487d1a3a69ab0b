/** The Run screen: what one run measured, its time line, and its tests; live while it goes on. */

import {DataError} from '../data/error.js';
import {urlState} from '../model/state.js';
import {h} from '../paint/dom.js';
import {headlineRow, resumeNote, titleOf} from '../paint/runheader.js';
import {compareMenu, downloadMenu} from '../paint/runmenus.js';
import {runKeys} from './runkeys.js';
import {followRun} from './runlive.js';
import {DEFAULTS} from './runstate.js';
import {runStrip} from './runstrip.js';
import {runTests} from './runtests.js';

/** @param {{data: import('../data/adapter.js').Data, shell: import('../paint/shell.js').Shell}} parts */
export async function showRun({data, shell}) {
  const state = urlState(DEFAULTS);
  const {id} = state.get();
  if (!id) throw new DataError('The address names no run.', {hint: 'Choose one from Runs.', status: 404});
  const link = (values, page) => state.link(values, page);
  const run = await data.run(id);
  const head = headlineRow();
  const resume = resumeNote();
  const tests = runTests({id, data, shell, state, run, onChosen: (place) => strip.choose(place), onView: (view) => strip.setTests(view)});
  const strip = runStrip({id, data, state, run, openTest: tests.openPlace, hoverTest: tests.hoverPlace});

  let titled = '';

  function showHeader(now) {
    const {text, options} = titleOf(now, link);
    if (options.page !== titled) shell.setTitle(text, options);
    titled = options.page;
    head.update(now);
    resume.update(now);
  }

  showHeader(run);
  shell.setToolbar(compareMenu({run, data, link}), downloadMenu({id, data, shownAs: tests.shownAs}));
  shell.main.append(h('div', {class: 'run'}, resume.el, head.el, head.panel, strip.el, tests.el));
  strip.start();
  runKeys({state, tests, head});
  state.onChange(() => {
    strip.show();
    tests.show();
  });
  followRun({id, data, shell, run, tests, strip, showHeader});
  await tests.start();
}
