/** Follows a run that goes on: header and lanes at once, new tests behind the pill, its end in words. */

import {count} from '../model/format.js';

/** What a live run's header is made of may be of a moment ago; so there is one more look when nothing has come for this long. */
const QUIET_MS = 3000;

/**
 * @param {{id: string, data: object, shell: object, run: object, tests: object, strip: object, showHeader: (run: object) => void}} parts
 */
export function followRun({id, data, shell, run: first, tests, strip, showHeader}) {
  if (first._status === 'completed') return;
  let run = first;
  let version = null;
  let looking = false;
  let again = false;
  let quiet = null;

  /** @type {any} */
  let timer = null;

  const stop = data.watch(id, (change) => {
    if (change.version === version) return;
    version = change.version;
    void look();
  });

  /** One look at a time; whatever comes meanwhile means one more. */
  async function look() {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      do {
        again = false;
        await lookOnce();
      } while (again);
    } catch (error) {
      shell.toast(error.status === 404 ? 'The run is no longer in the store.' : error.message);
      version = null;
    } finally {
      looking = false;
    }
    clearTimeout(timer);
    if (run._status === 'running' && version !== quiet) {
      timer = setTimeout(() => {
        quiet = version;
        void look();
      }, QUIET_MS);
    }
  }

  async function lookOnce() {
    const before = run;
    run = await data.run(id);
    showHeader(run);
    await tests.more();
    tests.setRun(run);
    strip.setRun(run);
    if (before._status === run._status) return;
    shell.toast(words(run));
    if (run._status === 'completed') {
      stop();
      await tests.settle();
    }
  }
}

function words({_status: status, _finished: finished, _planned: planned}) {
  const progress = planned ? `${count(finished)} of ${count(planned)} tests` : `${count(finished)} tests`;
  if (status === 'completed') return `The run has finished: ${progress}.`;
  if (status === 'incomplete') return `The run was broken off after ${progress}. It can be resumed.`;
  return `The run goes on: ${progress}.`;
}
