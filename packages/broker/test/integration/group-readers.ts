import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Consumer, CooperativeStickyAssignor } from '@klassic/client';
import type { TopicPartition } from '@klassic/common';
import { identify, killAfterwards, temporaryFolder } from '@klassic/test-support';

/** Long, for a machine with much else to do: in these tests members leave or are killed, but none falls silent. */
const SESSION_TIMEOUT_MS = 60_000;
const HEARTBEAT_INTERVAL_MS = 500;

/** What a member's rebalance listener was told, when (milliseconds since 1970, by the one clock of this machine). */
export interface OwnershipEvent {
  readonly kind: 'assigned' | 'revoked';
  readonly partitions: readonly number[];
  readonly timestamp: number;
}

/** A member of a group that reads one topic by the cooperative-sticky assignor and notes what happens to it. */
export interface GroupReader {
  readonly name: string;
  /** Every record read, as `key:value`. */
  readonly records: string[];
  readonly events: OwnershipEvent[];
  /** Leaves the group, unless the member is static. */
  stop(): Promise<void>;
}

export interface GroupReaderOptions {
  readonly servers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly name: string;
}

/** The partitions that a member has now, in order. */
export function owned({ events }: GroupReader): number[] {
  const partitions = new Set<number>();
  for (const event of events) {
    for (const partition of event.partitions) {
      if (event.kind === 'assigned') partitions.add(partition);
      else partitions.delete(partition);
    }
  }
  return [...partitions].sort();
}

/** Every time that a member was given a partition which another one had not given up. */
export function ownedTwice(readers: readonly GroupReader[]): string[] {
  const events = readers.flatMap(({ name, events }) => events.map((event) => ({ name, ...event })));
  // In one and the same millisecond the giving up comes first.
  const isAssigned = ({ kind }: OwnershipEvent): number => Number(kind === 'assigned');
  events.sort((one, other) => one.timestamp - other.timestamp || isAssigned(one) - isAssigned(other));
  const owners = new Map<number, string>();
  const twice: string[] = [];
  for (const { name, kind, partitions } of events) {
    for (const partition of partitions) {
      const owner = owners.get(partition);
      if (kind === 'revoked') owners.delete(partition);
      else {
        if (owner !== undefined) twice.push(`partition ${partition}: ${name} while ${owner} has it`);
        owners.set(partition, name);
      }
    }
  }
  return twice;
}

/** A line of VerifiableConsumer's output. */
interface ToolEvent {
  readonly name: string;
  readonly timestamp: number;
  readonly partitions: readonly TopicPartition[];
  readonly key: string | null;
  readonly value: string;
}

/** Kafka's own Java consumer, run by Kafka's VerifiableConsumer, which commits after each poll. */
export class JavaReader implements GroupReader {
  readonly name: string;
  readonly records: string[] = [];
  readonly events: OwnershipEvent[] = [];
  /** The process is gone, by itself or not, and all that it has said is here. */
  hasEnded = false;
  /** What the tool complained of. */
  stderr = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;

  /**
   * @param java the command
   * @param libs folder with the jars of Kafka and its tools
   */
  constructor(java: string, libs: string, options: GroupReaderOptions & { readonly groupInstanceId?: string }) {
    const { servers, topic, groupId, groupInstanceId } = options;
    this.name = options.name;
    const folder = temporaryFolder('java-reader');
    const [config, log4j] = [join(folder, 'consumer.properties'), join(folder, 'log4j.properties')];
    // The tool tells why it ends by its log alone.
    const appender = 'log4j.appender.stderr';
    writeFileSync(
      log4j,
      `log4j.rootLogger=ERROR, stderr\n${appender}=org.apache.log4j.ConsoleAppender\n${appender}.Target=System.err
${appender}.layout=org.apache.log4j.PatternLayout\n${appender}.layout.ConversionPattern=%p %m (%c)%n\n`,
    );
    writeFileSync(config, `heartbeat.interval.ms=${HEARTBEAT_INTERVAL_MS}\nclient.id=${this.name}\n`);
    const small = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const machine = [...small, `-Dlog4j.configuration=file:${log4j}`, '-cp', `${libs}/*`];
    const args = {
      'bootstrap-server': servers.join(),
      topic,
      'group-id': groupId,
      'session-timeout': String(SESSION_TIMEOUT_MS),
      'assignment-strategy': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
      'consumer.config': config,
      ...(groupInstanceId === undefined ? {} : { 'group-instance-id': groupInstanceId }),
    };
    const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]);
    this.child = spawn(java, [...machine, 'org.apache.kafka.tools.VerifiableConsumer', '--verbose', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', () => {
        this.hasEnded = true;
        resolve();
      });
    });
    // Told by `stop`, whenever it happens.
    this.ended.catch(() => undefined);
    const identity = this.child.pid === undefined ? undefined : identify(this.child.pid);
    if (identity !== undefined) killAfterwards(identity);
    let rest = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.take(JSON.parse(line) as ToolEvent);
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended;
  }

  /** The process is gone, and the group not told. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private take({ name, timestamp, partitions, key, value }: ToolEvent): void {
    if (name === 'record_data') this.records.push(`${key}:${value}`);
    if (name !== 'partitions_assigned' && name !== 'partitions_revoked') return;
    const kind = name === 'partitions_assigned' ? 'assigned' : 'revoked';
    this.events.push({ kind, partitions: partitions.map(({ partition }) => partition), timestamp });
  }
}

/** Klassic's own consumer. */
export class OwnReader implements GroupReader {
  readonly name: string;
  readonly records: string[] = [];
  readonly events: OwnershipEvent[] = [];
  private readonly consumer: Consumer;
  private readonly done: Promise<void>;
  private stopping = false;

  constructor({ servers, topic, groupId, name }: GroupReaderOptions) {
    this.name = name;
    this.consumer = new Consumer({
      ...{ bootstrapServers: servers, groupId, clientId: name, autoOffsetReset: 'earliest' },
      ...{ sessionTimeoutMs: SESSION_TIMEOUT_MS, heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS },
      partitionAssignors: [new CooperativeStickyAssignor()],
    });
    const note = (kind: OwnershipEvent['kind'], partitions: readonly TopicPartition[]): void => {
      this.events.push({ kind, partitions: partitions.map(({ partition }) => partition), timestamp: Date.now() });
    };
    this.consumer.subscribe([topic], {
      onPartitionsAssigned: (partitions) => note('assigned', partitions),
      onPartitionsRevoked: (partitions) => note('revoked', partitions),
    });
    this.done = this.run();
    // Told by `stop`, whenever it happens.
    this.done.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.done;
  }

  private async run(): Promise<void> {
    try {
      while (!this.stopping) {
        const records = await this.consumer.poll(200);
        this.records.push(...records.map(({ key, value }) => `${String(key)}:${String(value)}`));
      }
    } finally {
      await this.consumer.close();
    }
  }
}
