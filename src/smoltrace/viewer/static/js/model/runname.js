/** Short names for places that are too narrow for whole ones. The whole name is always one hover away. */

/** Endings that tell how a model was tuned, not which one it is. */
const TUNED = /-(instruct|chat|it)$/i;

/**
 * The last part of a model's name, cut with an ellipsis where it is longer than `most` characters.
 *
 * @param {string|null} model
 * @param {number} [most]
 * @returns {string}
 */
export function shortModel(model, most = 40) {
  if (model === null || model === undefined || model === '') return 'unnamed';
  return shortName(lastPart(model).replace(TUNED, ''), most);
}

/** What of a model's name says which it is: "org/model" is "model". @param {string} model @returns {string} */
export function lastPart(model) {
  return model.split('/').filter((part) => part !== '').pop() ?? model;
}

/**
 * Any name, cut with an ellipsis where it is longer than `most` characters.
 *
 * @param {string} name
 * @param {number} [most]
 * @returns {string}
 */
export function shortName(name, most = 60) {
  const letters = [...name];
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join('')}…`;
}

/**
 * @param {string|null} agent
 * @returns {string}
 */
export function shortAgent(agent) {
  if (agent === null || agent === undefined) return 'agent unknown';
  return agent;
}
