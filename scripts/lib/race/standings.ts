import type { Contestant } from './contestant.ts';
import type { Figure, Row } from './rows.ts';

type Id = Contestant['id'];

/** What each contestant did in each round, and the table of it. */
export class Standings {
  private readonly rows: readonly Row[];
  private readonly results = new Map<string, number[]>();

  constructor(rows: readonly Row[]) {
    this.rows = rows;
  }

  /** @param numbers one per figure of the row */
  add(row: Row, contestant: Id, numbers: readonly number[]): void {
    row.figures.forEach((figure, index) => {
      const key = keyOf(row, figure, contestant);
      this.results.set(key, [...(this.results.get(key) ?? []), numbers[index]!]);
    });
  }

  /** The table of medians as Markdown; with one contestant, its column alone. */
  table(contestants: readonly Contestant[]): string {
    const race = contestants.length > 1;
    const lines = [
      ['workload', 'figure', ...contestants.map(({ name }) => name), ...(race ? ['ratio', 'goal', 'held'] : [])],
      ['---', '---', ...contestants.map(() => '---:'), ...(race ? ['---:', '---:', '---'] : [])],
    ];
    for (const row of this.rows) {
      row.figures.forEach((figure, index) => {
        const medians = contestants.map(({ id }) => median(this.results.get(keyOf(row, figure, id)) ?? []));
        const cells = medians.map((value) => (value === undefined ? '–' : withCommas(value.toFixed(figure.digits))));
        lines.push([index === 0 ? row.title : '', figure.name, ...cells, ...(race ? this.verdict(row, figure) : [])]);
      });
    }
    return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  }

  /** Every single result, by row, figure and contestant. */
  toJSON(): unknown {
    return this.rows.map((row) => ({
      row: row.id,
      figures: row.figures.map((figure) => ({
        name: figure.name,
        goal: figure.goal,
        kafka: this.results.get(keyOf(row, figure, 'kafka')) ?? [],
        klassic: this.results.get(keyOf(row, figure, 'klassic')) ?? [],
      })),
    }));
  }

  /** Klassic's median as a multiple of Apache Kafka's, the goal, and whether it holds. */
  private verdict(row: Row, figure: Figure): [string, string, string] {
    const { goal } = figure;
    const said = goal === undefined ? '' : 'atLeast' in goal ? `≥ ${short(goal.atLeast)}` : `≤ ${short(goal.atMost)}`;
    const ours = median(this.results.get(keyOf(row, figure, 'klassic')) ?? []);
    const theirs = median(this.results.get(keyOf(row, figure, 'kafka')) ?? []);
    if (ours === undefined || theirs === undefined || theirs === 0) return ['–', said, ''];
    const ratio = ours / theirs;
    const holds =
      goal === undefined ? '' : ('atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost) ? 'yes' : 'no';
    return [ratio.toFixed(2), said, holds];
  }
}

function keyOf(row: Row, figure: Figure, contestant: Id): string {
  return `${row.id}/${figure.name}/${contestant}`;
}

/** Of an even number, the mean of the two in the middle; undefined of none. */
export function median(numbers: readonly number[]): number | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function short(factor: number): string {
  return factor === 1 / 3 ? '1/3' : String(factor);
}

function withCommas(text: string): string {
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
