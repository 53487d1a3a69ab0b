/**
 * The configurations of runs side by side.
 */

/** @typedef {{name: string, group: string, values: (string | null)[], differs: boolean}} Setting */

/** Names that differ between any two runs by their nature and say nothing of how they were made. */
const OF_THE_RUN = /^(?:run_id|identity\.|started|finished|lives|directory)/;

/**
 * @param {{config: Record<string, any>}[]} runs flat names and values, the first run is the baseline
 * @returns {Setting[]} sorted by group, then name; a value that a run does not have is null
 */
export function settingsOf(runs) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.config ?? {})))].filter((name) => !OF_THE_RUN.test(name));
  const made = names.map((name) => {
    const values = runs.map((run) => (Object.hasOwn(run.config ?? {}, name) ? valueText(run.config[name]) : null));
    return { name, group: name.includes('.') ? name.split('.')[0] : '', values, differs: values.some((value) => value !== values[0]) };
  });
  return made.sort((a, b) => compare(a.group, b.group) || compare(a.name, b.name));
}

/** A setting as text: nothing set is told apart from a run that does not know the setting. */
export function valueText(value) {
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return 'not set';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
