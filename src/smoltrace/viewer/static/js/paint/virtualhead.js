/** The head of a virtual table: labels, and buttons where a column sorts. */
import {h, hiddenText} from './dom.js';
import {icon} from './svg.js';

/** @param {{columns: import('./virtual.js').Column[], sort: string, onSort?: (key: string) => void}} options */
export function headRow({columns, sort, onSort}) {
  const [first = ''] = sort.split(',');
  const key = first.replace(/^-/, '');
  const order = first.startsWith('-') ? 'descending' : 'ascending';
  return h(
    'tr',
    {role: 'row', 'aria-rowindex': '1'},
    columns.map((column) => headCell(column, column.key === key && key !== '' ? order : null, onSort)),
  );
}

/** @param {import('./virtual.js').Column} column @param {string|null} order @param {((key: string) => void)|undefined} onSort */
function headCell(column, order, onSort) {
  const sortable = column.sortable && onSort;
  const words = column.head?.() ?? (column.label || hiddenText(column.title ?? column.key));
  const mark = order ? icon(order === 'descending' ? 'down' : 'up', 12) : null;
  const content = sortable
    ? h('button', {type: 'button', class: 'vt-sort', 'data-sort': column.key, title: column.title ?? null, on: {click: () => onSort(column.key)}}, words, mark)
    : h('span', {title: column.title ?? null}, words);
  const props = {role: 'columnheader', scope: 'col', 'aria-sort': order ?? (sortable ? 'none' : null), class: [column.align === 'right' && 'right', order && 'sorted', column.class]};
  return h('th', props, content);
}
