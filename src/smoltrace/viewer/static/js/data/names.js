/** Names of what can be downloaded. */

/** @typedef {Object<string, string|number|boolean|string[]|null|undefined>} Query */
/** @typedef {{kind: 'leaderboard'|'run', format: 'csv'|'json'|'parquet', id?: string, name?: string, query?: Query}} Download */

/**
 * `leaderboard.csv?sort=model`, `run/ID/results.parquet`.
 * @param {string|Download} what a path as it is, or its parts
 * @returns {string}
 */
export function downloadPath(what) {
  if (typeof what === 'string') return what;
  if (what.kind === 'run') return `run/${encodeURIComponent(what.id ?? '')}/${what.name ?? 'results'}.${what.format}`;
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(what.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') pairs.append(name, String(one));
    }
  }
  const text = pairs.toString();
  return `leaderboard.${what.format}` + (text ? '?' + text : '');
}
