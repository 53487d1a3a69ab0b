/**
 * The word for a run that goes on. In exported files, which nobody brings up to date, it went on when they were written.
 * @returns {'live'|'was running'}
 */
export function aliveWord() {
  const document = /** @type {any} */ (globalThis).document;
  const kind = document?.querySelector?.('meta[name="smoltrace-data"]')?.getAttribute('content');
  return kind === 'static' || kind === 'inline' ? 'was running' : 'live';
}
