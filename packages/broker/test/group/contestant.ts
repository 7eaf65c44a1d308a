import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SystemTime } from '@klassic/common';
import { BrokerConnection } from '@klassic/network';
import { errorByCode } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseOf } from '@klassic/protocol';
import { eventually, freePorts, kafkaJars, sleep, startBroker, temporaryFolder } from '@klassic/test-support';

/** How long an answer may take before the request counts as waiting for something. */
const PATIENCE_MS = 2_000;
/** Answers come in the end: a rebalance waits no longer than this, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** Settings of both brokers: limits small enough to be run into. */
export const groupSettings = {
  'offsets.topic.num.partitions': '4',
  'offsets.topic.replication.factor': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.max.size': '3',
  'offset.metadata.max.bytes': '20',
  'num.partitions': '2',
} as const;

/**
 * One of two brokers that are asked the same things. What it answers is noted under the names of the questions, with
 * everything that cannot be equal (member ids, ports) under names of its own: `<a 1>` is the first id that `a` was given.
 */
export class Contestant {
  readonly port: number;
  readonly transcript: string[] = [];
  /** Ends the broker. */
  readonly stop: () => Promise<void>;
  private readonly connections = new Map<string, BrokerConnection>();
  private readonly waiting = new Map<string, Promise<string>>();
  private readonly members = new Map<string, string>();

  constructor(port: number, stop: () => Promise<void>) {
    this.port = port;
    this.stop = stop;
  }

  /** Makes topics of two partitions, and waits until they are there. */
  async createTopics(names: readonly string[]): Promise<void> {
    const connection = await this.connection('admin');
    const topics = names.map((name) => ({ name, numPartitions: 2, replicationFactor: 1 }));
    await connection.send('CreateTopics', 5, { topics, timeoutMs: TIMEOUT_MS });
    await eventually(
      async () => {
        const metadata = await connection.send('Metadata', 9, { topics: names.map((name) => ({ name })) });
        return metadata.topics.every(({ errorCode, partitions }) => errorCode === 0 && partitions.length === 2);
      },
      { timeoutMs: TIMEOUT_MS, what: `topics ${names.join(', ')}` },
    );
  }

  /** Lets a first group live and go: what is slow the first time has been done then. */
  async warmUp(): Promise<void> {
    const connection = await this.connection('admin');
    const { memberId } = await connection.send('JoinGroup', 3, {
      groupId: 'warm-up',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    });
    await connection.send('LeaveGroup', 2, { groupId: 'warm-up', memberId });
    await connection.send('DeleteGroups', 1, { groupsNames: ['warm-up'] });
  }

  /** Whether the group coordinator is there: the first question makes its topic. */
  async isReady(): Promise<boolean> {
    try {
      const connection = await this.connection('anybody');
      const { errorCode } = await connection.send('FindCoordinator', 3, { key: 'any', keyType: 0 });
      return errorCode === 0;
    } catch {
      return false;
    }
  }

  /**
   * Asks, and notes the answer or that there is none for the time being.
   *
   * @param who each has a connection of its own, since a request may hold up those behind it
   */
  async ask<A extends ApiName>(
    who: string,
    api: A,
    version: number,
    body: RequestInit<A>,
  ): Promise<ResponseOf<A> | undefined> {
    const question = `${who}: ${api} v${version}`;
    const connection = await this.connection(who);
    let answer: ResponseOf<A> | undefined;
    const known = new Set(this.members.keys());
    const told = connection.send(api, version, body).then(
      (response) => {
        answer = response;
        return this.normalised(response, who, known);
      },
      (error: unknown) => (error as Error).name,
    );
    const text = await Promise.race([told, sleep(PATIENCE_MS)]);
    const isAnswered = typeof text === 'string';
    this.transcript.push(`${question} → ${isAnswered ? text : 'waits'}`);
    if (!isAnswered) this.waiting.set(who, told);
    return answer;
  }

  /** Forgets what was noted, and all connections: a new conversation. */
  begin(): void {
    this.close();
    this.connections.clear();
    this.waiting.clear();
    this.members.clear();
    this.transcript.length = 0;
  }

  /** Notes the answer to what `who` asked and was not answered then, if it is there now. */
  async settle(who: string): Promise<void> {
    const told = this.waiting.get(who);
    if (told === undefined) return;
    const text = await Promise.race([told, sleep(PATIENCE_MS)]);
    const isAnswered = typeof text === 'string';
    this.transcript.push(`${who} then → ${isAnswered ? text : 'still waits'}`);
    if (isAnswered) this.waiting.delete(who);
  }

  isWaiting(who: string): boolean {
    return this.waiting.has(who);
  }

  close(): void {
    for (const connection of this.connections.values()) connection.close();
  }

  private async connection(who: string): Promise<BrokerConnection> {
    const known = this.connections.get(who);
    if (known?.isOpen === true) return known;
    const connection = new BrokerConnection({
      host: '127.0.0.1',
      port: this.port,
      clientId: 'c',
      codec: 'kafka',
      time: new SystemTime(),
      requestTimeoutMs: TIMEOUT_MS,
    });
    await connection.connect();
    this.connections.set(who, connection);
    return connection;
  }

  /** @param known ids seen before the question: which of the others are answered first is a matter of chance */
  private normalised(response: unknown, who: string, known: ReadonlySet<string>): string {
    const own = (response as { memberId?: string }).memberId ?? '';
    if (own !== '' && !this.members.has(own)) {
      const earlier = [...this.members.values()].filter((name) => name.startsWith(`<${who} `));
      this.members.set(own, `<${who} ${earlier.length + 1}>`);
    }
    const withoutIds = (given: string): string =>
      given.replaceAll(/[\w-]*-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) =>
        known.has(id) || id === own ? this.members.get(id)! : '<somebody>',
      );
    return JSON.stringify(response, (key, value: unknown) => {
      if (key === 'errorCode') return errorByCode(value as number).name;
      if (key === 'port' && value === this.port) return '<port>';
      if (typeof value === 'string') return withoutIds(value);
      if (isBytes(value)) return withoutIds(Buffer.from(value.data).toString('latin1'));
      // The reference answers in the order of its hash maps.
      if (Array.isArray(value)) {
        return (value as unknown[]).toSorted((one, other) => compare(withoutIds(text(one)), withoutIds(text(other))));
      }
      return value;
    });
  }
}

function isBytes(value: unknown): value is { readonly type: 'Buffer'; readonly data: number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Starts Apache Kafka 2.8.2 with these settings, and waits until it is registered and answers. */
export async function startOriginal(zooKeeperConnect: string): Promise<Contestant> {
  const libs = await kafkaJars('2.8.2', () => undefined);
  const [port] = (await freePorts(1)) as [number];
  const folder = temporaryFolder('original');
  const settings = {
    'broker.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder, 'data'),
    'zookeeper.connect': zooKeeperConnect,
    'zookeeper.connection.timeout.ms': '18000',
    'inter.broker.protocol.version': '2.6',
    ...groupSettings,
  };
  const properties = join(folder, 'server.properties');
  writeFileSync(
    properties,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const log4j = join(folder, 'log4j.properties');
  writeFileSync(log4j, 'log4j.rootLogger=OFF\n');
  const java = ['-Xmx256m', '-XX:+UseSerialGC', `-Dlog4j.configuration=file:${log4j}`, '-cp', `${libs}/*`];
  const kafka = spawn('java', [...java, 'kafka.Kafka', properties], { stdio: 'ignore' });
  return await ready(
    new Contestant(port, () => {
      kafka.kill('SIGKILL');
      return new Promise((resolve) => kafka.once('exit', () => resolve()));
    }),
  );
}

async function ready(contestant: Contestant): Promise<Contestant> {
  await eventually(() => contestant.isReady(), { timeoutMs: 180_000, what: 'the group coordinator' });
  await contestant.warmUp();
  return contestant;
}

/** The same for Klassic. */
export async function startKlassic(zooKeeperConnect: string): Promise<Contestant> {
  const broker = await startBroker({
    zooKeeperConnect,
    overrides: { ...groupSettings, 'klassic.forward.to.controller': 'false' },
  });
  return await ready(new Contestant(broker.port, () => broker.kill()));
}
