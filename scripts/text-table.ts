/** Rows as a table for people: columns as wide as their widest cell. */
export function textTable(columns: string[], rows: (string | number)[][]): string {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const [head = [], ...body] = cells;
  return [line(head), rule, ...body.map(line)].join("\n");
}
