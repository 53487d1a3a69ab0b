/** Data that stand in the page itself: a page opened from a file may load nothing. */
import {dataOfFiles} from './files.js';
import {fromBase64, unpacked} from './packed.js';

/** @returns {Promise<import('./adapter.js').Data>} */
export async function openInline() {
  /** @type {Map<string, Element>} */
  const documents = new Map();
  for (const element of document.querySelectorAll('script[data-document]')) documents.set(element.getAttribute('data-document') ?? '', element);
  return dataOfFiles(
    'inline',
    async (name) => {
      const element = documents.get(name);
      return element === undefined ? null : unpacked(fromBase64(element.textContent ?? ''));
    },
    null,
  );
}
