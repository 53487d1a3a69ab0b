/** Widths of a table's columns. */

/** A column that takes what is left keeps at least this, px. */
const LEAST = 96;

/** @typedef {{width?: string|number, min?: number}} Width `120`, `'120px'`, `'2fr'` or `'minmax(120px, 2fr)'` */

/**
 * @param {Width} column
 * @returns {number} px below which it must not fall
 */
function leastWidth({width = '1fr', min}) {
  if (typeof width === 'number') return width;
  const px = /^(?:minmax\(\s*)?([\d.]+)px/.exec(width);
  return px ? Number(px[1]) : min ?? LEAST;
}

/** @param {Width[]} columns @returns {string} for `grid-template-columns` */
export function gridTemplate(columns) {
  return columns
    .map((column) => {
      const width = column.width ?? '1fr';
      if (typeof width === 'number') return `${width}px`;
      return /^[\d.]+fr$/.test(width) ? `minmax(${leastWidth(column)}px, ${width})` : width;
    })
    .join(' ');
}

/** @param {Width[]} columns @returns {number} px that all need together */
export function tableWidth(columns) {
  return columns.reduce((sum, column) => sum + leastWidth(column), 0);
}
