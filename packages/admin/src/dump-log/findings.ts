import type { ToolIo } from '../tool.ts';

type Pair = readonly [number, number];

/** What does not fit together in the files that were dumped; printed at the end, on standard error. */
export class Findings {
  private readonly indexMismatches = new Map<string, Pair[]>();
  private readonly nonConsecutive = new Map<string, Pair[]>();
  private readonly timestampMismatches = new Map<string, Pair[]>();
  private readonly outOfOrderTimestamps = new Map<string, Pair[]>();
  private readonly offsetsNotFound = new Map<string, Pair[]>();

  noteIndexMismatch(file: string, indexOffset: number, logOffset: number): void {
    listOf(this.indexMismatches, file).unshift([indexOffset, logOffset]);
  }

  noteNonConsecutive(file: string, first: number, second: number): void {
    listOf(this.nonConsecutive, file).unshift([first, second]);
  }

  noteTimestampMismatch(file: string, indexed: number, found: number): void {
    listOf(this.timestampMismatches, file).push([indexed, found]);
  }

  noteOutOfOrderTimestamp(file: string, indexed: number, previous: number): void {
    listOf(this.outOfOrderTimestamps, file).push([indexed, previous]);
  }

  noteOffsetNotFound(file: string, indexed: number, found: number): void {
    listOf(this.offsetsNotFound, file).push([indexed, found]);
  }

  print(io: ToolIo): void {
    const section = (
      findings: Map<string, Pair[]>,
      title: (file: string) => string,
      line: (pair: Pair) => string,
    ): void => {
      for (const [file, pairs] of findings)
        io.err([title(file), ...pairs.map(line)].map((text) => `${text}\n`).join(''));
    };
    section(
      this.indexMismatches,
      (file) => `Mismatches in :${file}`,
      ([index, log]) => `  Index offset: ${index}, log offset: ${log}`,
    );
    section(
      this.timestampMismatches,
      (file) => `Found timestamp mismatch in :${file}`,
      ([index, log]) => `  Index timestamp: ${index}, log timestamp: ${log}`,
    );
    section(
      this.outOfOrderTimestamps,
      (file) => `Found out of order timestamp in :${file}`,
      ([index, previous]) => `  Index timestamp: ${index}, Previously indexed timestamp: ${previous}`,
    );
    section(
      this.offsetsNotFound,
      () => 'The following indexed offsets are not found in the log.',
      ([index, log]) => `Indexed offset: ${index}, found log offset: ${log}`,
    );
    section(
      this.nonConsecutive,
      (file) => `Non-consecutive offsets in ${file}`,
      ([first, second]) => `  ${first} is followed by ${second}`,
    );
  }
}

function listOf(findings: Map<string, Pair[]>, file: string): Pair[] {
  let pairs = findings.get(file);
  if (pairs === undefined) {
    pairs = [];
    findings.set(file, pairs);
  }
  return pairs;
}
