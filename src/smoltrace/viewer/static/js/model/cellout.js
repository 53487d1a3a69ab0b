/** One test in two runs as Markdown. */
import {actionsOf, alignActions, plainText} from './align.js';
import {diffTexts} from './diff.js';
import {fenced} from './fence.js';

/**
 * @param {{testId: string, agent: string | null}} row
 * @param {{name: string, test: any}[]} sides the baseline and the run
 */
export function compareMarkdownOfCell(row, sides) {
  const [one, two] = sides;
  const parts = [`## ${[row.testId, row.agent].filter(Boolean).join(', ')}`];
  for (const { name, test } of sides) parts.push(`${name}: ${outcome(test)}`);
  const texts = sides.map(({ test }) => plainText(test?.row?.response));
  parts.push(`### Answers\n\n${fenced(diffLines(texts[0], texts[1], [one.name, two.name]), 'diff')}`);
  const pairs = alignActions(...sides.map(({ test }) => actionsOf(test?.steps)));
  if (pairs.length) parts.push(`### Steps\n\n${fenced(pairs.map(stepLine).join('\n'))}`);
  return `${parts.join('\n\n')}\n`;
}

function outcome(test) {
  if (!test) return 'not in this run';
  const { success, status, error_type: type } = test.row;
  return `${success === true ? 'passed' : success === false ? 'failed' : status}${type ? `, ${type}` : ''}`;
}

function diffLines(left, right, names) {
  const { rows } = diffTexts(left, right);
  const lines = rows.flatMap(({ kind, left: a, right: b }) => (kind === 'same' ? [` ${a.text}`] : [a && `-${a.text}`, b && `+${b.text}`].filter((line) => line !== null)));
  return [`--- ${names[0]}`, `+++ ${names[1]}`, ...lines].join('\n');
}

function stepLine({ left, right, relation }) {
  const sign = { same: ' ', output: ' ', changed: '~', left: '-', right: '+' }[relation];
  const { name, input } = right ?? left;
  return `${sign} ${name} ${input.replace(/\s+/g, ' ').slice(0, 200)}`.trimEnd();
}
