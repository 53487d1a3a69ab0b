/**
 * The tests of a run as they come: pages of a finished one one after the other, and of a live one what is new, which waits
 * until the reader asks for it. No DOM.
 */

import {addPage, noTests, renew} from './tests.js';

/**
 * `all` are the tests that were read, `tests` the first of them: those that are shown. Both have the same columns.
 * @param {{page: (start: number) => Promise<{next: number|null, count: number, columns: object}>, onChange: () => void}} given
 */
export function testFeed({page, onChange}) {
  const all = noTests();
  const tests = {count: 0, columns: all.columns};
  let reading = false;
  let again = false;
  let first = true;

  /** Reads all pages that there are. New tests of a live run wait; those of the first reading do not. */
  async function read() {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    try {
      do {
        again = false;
        await readOn();
      } while (again);
      first = false;
    } finally {
      reading = false;
    }
    onChange();
  }

  async function readOn() {
    for (;;) {
      const found = await page(all.count);
      addPage(all, found);
      if (first) tests.count = all.count;
      if (found.count) onChange();
      if (found.next === null || found.next === undefined || !found.count) return;
    }
  }

  /** Shows the waiting tests too. */
  function take() {
    tests.count = all.count;
    onChange();
  }

  /** Reads everything once more: what the tests used is settled when the run has ended. */
  async function settle() {
    await read();
    for (let start = 0; start < all.count; ) {
      const found = await page(start);
      if (!found.count) break;
      renew(all, found);
      start += found.count;
    }
    onChange();
  }

  return {all, tests, read, take, settle, waiting: () => all.count - tests.count, reading: () => reading};
}
