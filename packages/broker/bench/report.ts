import type { Work } from './workloads.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const NAME_WIDTH = 42;

/** Prints one line per workload as it ends. */
export class Report {
  private readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  heading(text: string, ...columns: readonly string[]): void {
    this.print('');
    this.row(text, columns);
  }

  /** @param cpuMs the brokers' processor time; NaN where it is not known */
  throughput(name: string, work: Work, cpuMs: number, plainBytesPerSecond: number): void {
    const seconds = work.ms / 1000;
    this.row(name, [
      (work.bytes / MIB / seconds).toFixed(0),
      (work.records / seconds).toFixed(0),
      (work.requests / seconds).toFixed(0),
      known(cpuMs / 1000 / (work.bytes / GIB), 1),
      `${((100 * work.bytes) / seconds / plainBytesPerSecond).toFixed(0)} %`,
    ]);
  }

  rate(name: string, work: Work, cpuMs: number): void {
    this.row(name, [(work.requests / (work.ms / 1000)).toFixed(0), known((cpuMs * 1000) / work.requests, 0)]);
  }

  latency(name: string, work: Work): void {
    const sorted = [...(work.latenciesMs ?? [])].sort((a, b) => a - b);
    const quantile = (share: number): string =>
      sorted.length === 0 ? '-' : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(2);
    this.row(name, [quantile(0.5), quantile(0.99), String(sorted.length)]);
  }

  private row(name: string, columns: readonly string[]): void {
    this.print(name.padEnd(NAME_WIDTH) + columns.map((column) => column.padStart(11)).join(''));
  }
}

function known(figure: number, digits: number): string {
  return Number.isFinite(figure) ? figure.toFixed(digits) : '-';
}
