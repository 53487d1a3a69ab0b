/** Where the numbers come from: the server, the files of a static site, or the page itself. The screens do not know which. */
import {openInline} from './inline.js';
import {openLive} from './live.js';
import {openStatic} from './static.js';

/** @typedef {'csv'|'json'|'parquet'} Format */

/**
 * @typedef {object} Data
 * @property {'live'|'static'|'inline'} kind
 * @property {() => Promise<any>} store
 * @property {(query?: import('./names.js').Query) => Promise<any>} leaderboard
 * @property {(query: import('./names.js').Query, axis: string) => Promise<any>} chart
 * @property {(id: string) => Promise<any>} run
 * @property {(id: string, start?: number, count?: number) => Promise<any>} tests
 * @property {(id: string, uid: string) => Promise<any>} test
 * @property {(id: string, from: number, to: number, width: number) => Promise<any>} gpu
 * @property {(id: string, trace: string) => Promise<any>} trace
 * @property {(id: string, trace: string, span: string) => Promise<any>} span
 * @property {(id: string, trace: string, span: string, ref: string) => Promise<{text: string}>} text
 * @property {(id: string, uid: string, ref: string) => Promise<{text: string}>} testText
 * @property {(ids: string[]) => Promise<any>} compare
 * @property {(q: string, limit?: number) => Promise<any>} search
 * @property {(id: string|null, callback: (change: any) => void) => (() => void)} watch never calls where nothing can change
 * @property {{leaderboard: Format[], run: Format[]}} downloads the forms that the leaderboard and the data sets of a run can be had in
 * @property {(what: string|import('./names.js').Download) => string|Blob|Promise<string|Blob>} downloadUrl
 */

/** @returns {Promise<Data>} rejects with a DataError */
export async function openData() {
  const meta = document.querySelector('meta[name="smoltrace-data"]');
  const kind = meta?.getAttribute('content') ?? 'live';
  if (kind === 'inline') return openInline();
  if (kind === 'static') return openStatic();
  return openLive();
}
