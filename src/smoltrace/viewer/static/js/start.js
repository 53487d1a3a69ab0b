/** Starts a page's screen: its data, what surrounds it, and a word where it cannot be shown. */
import {openData} from './data/adapter.js';
import {href, singleFile, whereAmI} from './model/state.js';
import {failPanel, shell} from './paint/shell.js';

/** @typedef {(given: {data: import('./data/adapter.js').Data, shell: import('./paint/shell.js').Shell}) => Promise<void>} Show */

const TITLES = {leaderboard: 'Leaderboard', compare: 'Compare', runs: 'Runs', run: 'Run', traces: 'Traces', trace: 'Trace'};

/** The screen's name: the page's, or in a single file the one that the address names. @returns {string} */
function screenName() {
  const named = singleFile() ? whereAmI().page : '';
  const page = named === 'index' ? 'leaderboard' : named;
  return Object.hasOwn(TITLES, page) ? page : document.body.dataset.screen ?? 'leaderboard';
}

/**
 * @param {Object<string, Show>} screens those that this page can show, by name
 * @returns {Promise<void>}
 */
export async function start(screens) {
  const screen = screenName();
  const title = TITLES[screen];
  document.body.dataset.screen = screen;
  // A single file has the sheets of all screens, of which a page of a site loads one.
  for (const sheet of document.querySelectorAll('style[data-screens]')) {
    sheet.setAttribute('media', (sheet.getAttribute('data-screens') ?? '').split(' ').includes(screen) ? 'all' : 'not all');
  }
  // In a single file a link to another screen changes only what is behind the #.
  if (singleFile()) addEventListener('hashchange', () => location.reload());
  // A file that is opened by its name alone begins with its run.
  if (singleFile() && location.hash === '') history.replaceState(null, '', href('run', {id: document.body.dataset.run ?? ''}));
  let around = null;
  try {
    const data = await openData();
    around = shell({screen, title, data});
    await screens[screen]({data, shell: around});
  } catch (error) {
    around ??= shell({screen, title, data: null});
    around.main.replaceChildren(failPanel(error));
    if (/** @type {any} */ (error)?.status === undefined) console.error(error);
  }
  document.body.dataset.ready = 'true';
}
