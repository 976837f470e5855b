// What a measurement is, and how a list of them is shown.

export interface Measurement {
  name: string;
  value: number;
  unit: 'kB' | 'MB' | 'ms' | '%' | 'a second' | 'times' | 'points';
  /** The most that it may be, or the least; `null` where it is measured only. */
  bound: number | null;
  /** Which of the two. */
  side: 'at most' | 'at least';
  /** Whether the bound holds. */
  holds: boolean;
}

export function measured(name: string, value: number, unit: Measurement['unit'], bound: number | null = null): Measurement {
  return { name, value: rounded(value), unit, bound, side: 'at most', holds: bound === null || value <= bound };
}

export function atLeast(name: string, value: number, unit: Measurement['unit'], bound: number): Measurement {
  return { name, value: rounded(value), unit, bound, side: 'at least', holds: value >= bound };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

export function table(list: Measurement[]): string {
  const rows = list.map(({ name, value, unit, bound, side, holds }) => [
    name,
    `${value.toFixed(2)} ${unit}`,
    bound === null ? '' : `${side} ${bound} ${unit}`,
    bound === null ? '' : holds ? 'holds' : 'DOES NOT HOLD',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row.map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)));
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}
