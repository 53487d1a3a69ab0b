/** Rows as CSV (RFC 4180) and as JSON, in the dialect of the store's own exports. */

/**
 * A head and one line a row, ended by \n. null is empty, true is True, lists and objects are JSON.
 * @param {string[]} names @param {Iterable<object>} rows @returns {string}
 */
export function toCsv(names, rows) {
  const lines = [names.map(quoted).join(',')];
  for (const row of rows) lines.push(names.map((name) => quoted(cell(row[name]))).join(','));
  return `${lines.join('\n')}\n`;
}

/** @param {string[]} names @param {Iterable<object>} rows @returns {string} a JSON list, one row a line */
export function toJson(names, rows) {
  const lines = [];
  for (const row of rows) lines.push(JSON.stringify(Object.fromEntries(names.map((name) => [name, row[name] ?? null]))));
  return lines.length ? `[\n${lines.join(',\n')}\n]\n` : '[]\n';
}

function cell(value) {
  if (value === null || value === undefined) return '';
  if (value === true) return 'True';
  if (value === false) return 'False';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
