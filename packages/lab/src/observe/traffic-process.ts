import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { eventually } from '../eventually.ts';
import { LabError } from '../lab-error.ts';
import { killNow, startInBackground, waitUntilGone } from '../process/background-process.ts';
import { signal, stateOf } from '../process/process-identity.ts';
import type { ProcessIdentity } from '../process/process-identity.ts';
import { reportTraffic } from './traffic-report.ts';
import type { TrafficReport } from './traffic-report.ts';
import type { TrafficEvent } from './traffic.ts';

/** The clients of `scripts/lab traffic` as a process in the background, with its files in `<home>/traffic`. */
export class TrafficProcess {
  private readonly folder: string;

  /** @param home the lab's folder */
  constructor(home: string) {
    this.folder = join(home, 'traffic');
  }

  /**
   * Starts the clients and waits for the first record to be acknowledged and read.
   *
   * @throws LabError when traffic runs already, or nothing gets through within half a minute
   */
  async start(bootstrapServers: readonly string[], topic: string, rate: number): Promise<void> {
    if (this.identity() !== undefined) throw new LabError('traffic runs already: scripts/lab traffic stop ends it');
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    const identity = await startInBackground({
      command: process.execPath,
      args: [
        ...process.execArgv,
        join(import.meta.dirname, `traffic-main${extname(import.meta.filename)}`),
        this.events,
        topic,
        String(rate),
        ...bootstrapServers,
      ],
      env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1' },
      outputFile: join(this.folder, 'out'),
    });
    writeFileSync(join(this.folder, 'process.json'), JSON.stringify(identity));
    const isFlowing = (): boolean => this.read().some((event) => event.kind === 'read');
    const outcome = await eventually(() => isFlowing() || (stateOf(identity) === 'gone' && 'ended'), {
      timeoutMs: 30_000,
    }).catch(() => 'silent');
    if (outcome === true) return;
    await killNow(identity);
    const said = readFileSync(join(this.folder, 'out'), 'utf8').match(/^.*Error.*$/m)?.[0];
    const trouble = this.read().findLast((event) => event.kind === 'trouble')?.error;
    throw new LabError(`nothing got through to topic ${topic}: ${said ?? trouble ?? 'no answer within 30 s'}`);
  }

  /** Ends producing, waits until what was acknowledged is read back, and reports. @throws LabError when no traffic runs */
  async stop(): Promise<TrafficReport> {
    const identity = this.identity();
    if (identity === undefined) throw new LabError('no traffic runs: scripts/lab traffic start <topic> begins it');
    signal(identity, 'SIGTERM');
    await waitUntilGone(identity, 90_000);
    return this.report();
  }

  /** Ends the clients at once, if there are any. */
  async kill(): Promise<void> {
    const identity = this.identity();
    if (identity !== undefined) await killNow(identity);
  }

  /** What the clients have seen so far. */
  report(): TrafficReport {
    return reportTraffic(this.read());
  }

  private get events(): string {
    return join(this.folder, 'events.jsonl');
  }

  private identity(): ProcessIdentity | undefined {
    const file = join(this.folder, 'process.json');
    if (!existsSync(file)) return undefined;
    const identity = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
    return stateOf(identity) === 'gone' ? undefined : identity;
  }

  private read(): TrafficEvent[] {
    if (!existsSync(this.events)) return [];
    const text = readFileSync(this.events, 'utf8');
    // What follows the last line end is still being written.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((each) => each !== '')
      .map((each) => JSON.parse(each) as TrafficEvent);
  }
}
