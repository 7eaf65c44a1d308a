import { readReferenceJson, recordedLines } from '@klassic/test-support';
import type { RecordedRpc, RecordedTransaction, Snapshot, Step } from '@klassic/test-support';
import { Elections } from './elections.ts';
import type { Watches } from './watch-book.ts';

interface ScenarioFile {
  readonly steps: readonly Step[];
  readonly 'zookeeper.session.timeout.ms': number;
  readonly extraProperties: readonly string[];
}

/** A part of a recording. */
export interface Extent {
  /** The step with which it begins, by the beginning of its name; left out: the recording's begin. */
  readonly from?: string | undefined;
  /** The step before which it ends; left out: the recording's end. */
  readonly until?: string | undefined;
}

/** A scenario of the recordings: `cluster/2.8.2/ibp-2.6/<name>`. */
export class RecordedScenario {
  private readonly name: string;
  private readonly beginMs: number;
  private readonly endMs: number;

  constructor(name: string, { from, until }: Extent = {}) {
    this.name = name;
    this.beginMs = from === undefined ? -Infinity : this.timeOf(from);
    this.endMs = until === undefined ? Infinity : this.timeOf(until);
  }

  /** What the recording's brokers were configured with beside the defaults. */
  get properties(): Record<string, string> {
    const { extraProperties, 'zookeeper.session.timeout.ms': sessionTimeoutMs } = this.file;
    return {
      'zookeeper.session.timeout.ms': String(sessionTimeoutMs),
      'auto.leader.rebalance.enable': 'false',
      ...Object.fromEntries(extraProperties.map((line) => line.split('=') as [string, string])),
    };
  }

  snapshot(label: string): Snapshot {
    return readReferenceJson(...this.at(`znodes-${label}.json`)) as Snapshot;
  }

  watches(label: string): Record<string, Watches> {
    return readReferenceJson(...this.at(`watches-${label}.json`)) as Record<string, Watches>;
  }

  /** The topics with which it begins: replicas by partition, and settings. */
  topics(): { name: string; assignment: number[][]; configs: Record<string, string> }[] {
    const before = this.snapshot('before');
    return Object.entries(before).flatMap(([path, { data }]) => {
      const name = /^\/brokers\/topics\/([^/]+)$/.exec(path)?.[1];
      if (name === undefined) return [];
      const assignment = Object.values((data as { partitions: Record<string, number[]> }).partitions);
      const { config } = before[`/config/topics/${name}`]!.data as { config: Record<string, string> };
      return [{ name, assignment, configs: config }];
    });
  }

  /** What the three brokers wrote, without sessions' begins and ends, lost elections and refused registrations. */
  transactions(): RecordedTransaction[] {
    return recordedLines<RecordedTransaction>(this.at('zk-txns.jsonl')).filter(
      ({ who, op, t, ops, request }) =>
        /^broker-[123]#/.test(who) &&
        !op.endsWith('Session') &&
        this.contains(t) &&
        request?.path !== '/controller' &&
        !(ops !== undefined && ops.every((each) => each.op === 'error')),
    );
  }

  elections(): Elections {
    return Elections.ofRecording(recordedLines<RecordedTransaction>(this.at('zk-txns.jsonl')));
  }

  requests(): RecordedRpc[] {
    return recordedLines<RecordedRpc>(this.at('rpcs.jsonl')).filter(({ t }) => this.contains(t));
  }

  private contains(t: number): boolean {
    return t >= this.beginMs && t < this.endMs;
  }

  private timeOf(name: string): number {
    const found = this.file.steps.find(({ step }) => step.startsWith(name));
    if (found === undefined) throw new Error(`${this.name} has no step ${name}`);
    return found.t;
  }

  private get file(): ScenarioFile {
    return readReferenceJson(...this.at('scenario.json')) as ScenarioFile;
  }

  private at(file: string): string[] {
    return ['cluster', '2.8.2', 'ibp-2.6', this.name, file];
  }
}
