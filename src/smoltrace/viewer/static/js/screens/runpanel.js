/** The sheet with one test: opened by its row or its band, kept open while the reader goes from test to test. */

import {fill, h} from '../paint/dom.js';
import {sheet} from '../paint/dialog.js';
import {testBody} from '../paint/testpanel.js';
import {icon} from '../paint/svg.js';

/**
 * @param {{id: string, data: object, traceHref: (row: object) => string|null, onClose: () => void, onStep: (by: number) => void}} parts
 */
export function testSheet({id, data, traceHref, onClose, onStep}) {
  /** @type {{el: HTMLElement, close: () => void}|null} */
  let open = null;
  let shown = null;
  const title = h('span', null);
  const body = h('div', null);
  const step = (by, label, name) => h('button', {type: 'button', class: 'icon-button', 'aria-label': label, title: label, on: {click: () => onStep(by)}}, icon(name));
  const tools = [step(-1, 'Previous test (k)', 'up'), step(1, 'Next test (j)', 'down')];

  async function show(row) {
    shown = row.test_case_uid;
    fill(title, h('code', null, row.test_id));
    if (!open) open = sheet({title, body, tools, class: 'test-sheet', onClose: closed});
    body.setAttribute('aria-busy', 'true');
    const content = await painted(row);
    if (shown !== row.test_case_uid) return;
    fill(body, content);
    body.removeAttribute('aria-busy');
    if (body.parentElement) body.parentElement.scrollTop = 0;
  }

  async function painted(row) {
    try {
      const test = await data.test(id, row.test_case_uid);
      const whole = data.testText ? async (ref) => (await data.testText(id, row.test_case_uid, ref)).text : null;
      return testBody(test, {traceHref: traceHref(row), whole});
    } catch (error) {
      return h('p', {class: 'rt-none', role: 'alert'}, [error.message, error.hint].filter(Boolean).join(' '));
    }
  }

  function closed() {
    open = null;
    shown = null;
    onClose();
  }

  return {show, close: () => open?.close(), isOpen: () => open !== null, shown: () => shown, holds: (node) => Boolean(open?.el.contains(node))};
}
