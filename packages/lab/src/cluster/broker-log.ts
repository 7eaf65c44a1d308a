import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { LabError } from '../lab-error.ts';

/** How long a broker may take to say that it is started, in milliseconds. */
const startTimeoutMs = 60_000;

/** Reads what a broker says of its start: in `logs/server.log` of its folder, and on its output, in `out`. */
export class BrokerLog {
  private readonly id: number;
  private readonly log: string;
  private readonly output: string;
  /** Where the files ended at the last launch: what stands before is of earlier processes. */
  private logStart = 0;
  private outputStart = 0;

  constructor(id: number, folder: string) {
    this.id = id;
    this.log = join(folder, 'logs', 'server.log');
    this.output = join(folder, 'out');
  }

  /** To be called before each launch. */
  mark(): void {
    this.logStart = existsSync(this.log) ? statSync(this.log).size : 0;
    this.outputStart = existsSync(this.output) ? statSync(this.output).size : 0;
  }

  /**
   * Waits for the line with which a broker says that it is started.
   *
   * @throws LabError with the broker's own complaint when it ends before, or says nothing for a minute
   */
  async waitUntilStarted(isGone: () => boolean | Promise<boolean>): Promise<void> {
    const line = new RegExp(`\\[KafkaServer id=${this.id}\\] started( \\(.*\\))?$`, 'm');
    const outcome = await eventually(
      async () => {
        // Asked first: what a process wrote before its end is there to be read.
        const gone = await isGone();
        if (line.test(since(this.log, this.logStart))) return 'started';
        return gone ? 'ended' : undefined;
      },
      { timeoutMs: startTimeoutMs, what: `the start of broker ${this.id}` },
    ).catch(() => 'silent');
    if (outcome === 'started') return;
    const how = outcome === 'ended' ? 'ended while starting' : `was not started within ${startTimeoutMs / 1000} s`;
    throw new LabError(`broker ${this.id} ${how}: ${this.complaint()}`);
  }

  /** The first error the broker told (what follows is its way out), in one line, with the exception below it if there is one. */
  private complaint(): string {
    const head = /^\[[^\]]+\] (?:ERROR|FATAL) /;
    const lines = since(this.log, this.logStart).split('\n');
    const first = lines.findIndex((line) => head.test(line));
    if (first >= 0) {
      const told = lines[first]!.replace(head, '').replace(/ \([\w.$]+\)$/, '');
      const exception = /^[\w.$]+(?:Exception|Error): (.*)$/.exec(lines[first + 1] ?? '')?.[1];
      return exception === undefined || told.includes(exception) ? told : `${told}: ${exception}`;
    }
    const said = since(this.output, this.outputStart).trim().split('\n').at(-1) ?? '';
    return said === '' ? `see ${this.log}` : said;
  }
}

function since(file: string, position: number): string {
  return existsSync(file) ? readFileSync(file).subarray(position).toString('utf8') : '';
}
