/** One column: its heading and least width; the last one is not padded. */
export interface Column<T> {
  readonly heading: string;
  readonly width: number;
  readonly value: (row: T) => string;
}

/** Lines of a table, each cell padded to its column, a space between, the first line the headings. */
export function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[], padLast: boolean): string[] {
  const lines = [columns.map(({ heading }) => heading), ...rows.map((row) => columns.map(({ value }) => value(row)))];
  return lines.map((cells) =>
    cells
      .map((cell, index) => (index < cells.length - 1 || padLast ? cell.padEnd(columns[index]!.width) : cell))
      .join(' '),
  );
}

/** The width that holds every value, at least `least`. */
export function widthOf(values: Iterable<string>, least: number): number {
  let width = least;
  for (const value of values) width = Math.max(width, value.length);
  return width;
}
