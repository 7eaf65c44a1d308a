import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Producer } from '@klassic/client';
import { eventually, hasKcat, kafkaJs, sleep } from '@klassic/test-support';

interface Sent {
  readonly key: string;
  readonly value: string;
}

const keys = 5;

/** Pause between two sends of a producer, in milliseconds. */
const pauseMs = 5;

/**
 * kcat (where it is installed) and kafkajs, which write to a topic with acks=all, idempotently, until they are stopped. Each
 * has keys of its own; the values of a key count upwards.
 */
export class Traffic {
  private readonly topic: string;
  private readonly byKafkaJs: Sent[] = [];
  private readonly byKcat: Sent[] = [];
  private readonly trouble: string[] = [];
  private stopping = false;
  private kcat: ChildProcess | undefined;
  private readonly kafkaJsDone: Promise<void>;
  private readonly kcatDone: Promise<void>;

  constructor(bootstrapServers: readonly string[], topic: string) {
    this.topic = topic;
    this.kafkaJsDone = this.runKafkaJs(bootstrapServers);
    this.kcatDone = hasKcat() ? this.runKcat(bootstrapServers) : Promise.resolve();
    // Told by `stop`, whenever it happens.
    this.kafkaJsDone.catch(() => undefined);
    this.kcatDone.catch(() => undefined);
  }

  /** Records that kafkajs was told are safe, so far. */
  get acknowledged(): number {
    return this.byKafkaJs.length;
  }

  /** Waits until `count` more records are acknowledged than now. */
  async flows(count = 50, timeoutMs = 30_000): Promise<void> {
    const goal = this.acknowledged + count;
    await eventually(() => this.acknowledged >= goal, { timeoutMs, what: `${count} acknowledged records` }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; kafkajs says: ${this.trouble.slice(-5).join(' | ')}`);
      },
    );
  }

  /**
   * Ends both producers when all they have sent is acknowledged.
   *
   * @returns every acknowledged record, those of a key in the order in which they were sent
   * @throws Error when a record was not acknowledged
   */
  async stop(): Promise<Sent[]> {
    this.stopping = true;
    await Promise.all([this.kafkaJsDone, this.kcatDone]);
    return [...this.byKafkaJs, ...this.byKcat];
  }

  /** Ends both producers after a test that failed, whatever became of their records. */
  abandon(): void {
    this.stopping = true;
    this.kcat?.kill('SIGKILL');
  }

  private async runKafkaJs(bootstrapServers: readonly string[]): Promise<void> {
    const kafka = kafkaJs(bootstrapServers, { onTrouble: (line) => this.trouble.push(line) });
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    try {
      for (let count = 0; !this.stopping; count += 1) {
        const record = { key: `kafkajs-${count % keys}`, value: String(count) };
        await producer.send({ topic: this.topic, acks: -1, messages: [record] });
        this.byKafkaJs.push(record);
        await sleep(pauseMs);
      }
    } finally {
      await producer.disconnect();
    }
  }

  private async runKcat(bootstrapServers: readonly string[]): Promise<void> {
    const settings = ['acks=all', 'enable.idempotence=true', 'retry.backoff.ms=50', 'reconnect.backoff.max.ms=500'];
    const args = [
      '-P',
      '-t',
      this.topic,
      '-K',
      ':',
      '-b',
      bootstrapServers.join(),
      ...settings.flatMap((each) => ['-X', each]),
    ];
    const child = spawn('kcat', args, { stdio: ['pipe', 'ignore', 'pipe'] });
    this.kcat = child;
    const ended = endOf(child);
    // That it ended too early is told by its exit code.
    child.stdin.on('error', () => undefined);
    while (!this.stopping && child.exitCode === null) {
      const record = { key: `kcat-${this.byKcat.length % keys}`, value: String(this.byKcat.length) };
      child.stdin.write(`${record.key}:${record.value}\n`);
      this.byKcat.push(record);
      await sleep(pauseMs);
    }
    child.stdin.end();
    const { exitCode, stderr } = await ended;
    if (exitCode !== 0 || stderr.includes('Delivery failed')) throw new Error(`kcat ended with ${exitCode}: ${stderr}`);
  }
}

/**
 * Writes a few records over brokers that live, while a stopped one keeps clients waiting that were connected to it.
 *
 * @returns the records, all of them acknowledged
 */
export async function produceMeanwhile(bootstrapServers: readonly string[], topic: string): Promise<Sent[]> {
  // It may ask the stopped one for its producer id, or one cut off from ZooKeeper that still takes itself for the leader.
  const requestTimeoutMs = 3_000;
  const producer = new Producer({ bootstrapServers, acks: 'all', enableIdempotence: true, requestTimeoutMs });
  const records = Array.from({ length: 20 }, (_, index) => ({ key: 'meanwhile', value: String(index) }));
  await Promise.all(records.map((record) => producer.send({ topic, ...record })));
  await producer.close();
  return records;
}

/** kcat as a member of a group, which reads until it is stopped. */
export class KcatGroupReader {
  readonly values: string[] = [];
  private readonly child: ChildProcess;
  private readonly ended: ReturnType<typeof endOf>;

  constructor(bootstrapServers: readonly string[], topic: string, groupId: string, sessionTimeoutMs = 6_000) {
    const times = [`session.timeout.ms=${sessionTimeoutMs}`, 'heartbeat.interval.ms=500'];
    const options = ['auto.offset.reset=earliest', ...times].flatMap((each) => ['-X', each]);
    this.child = spawn('kcat', ['-G', groupId, '-u', '-b', bootstrapServers.join(), ...options, '-f', '%s\\n', topic], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.values.push(...lines);
    });
    this.ended = endOf(this.child);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGINT');
    await this.ended;
  }
}

function endOf(child: ChildProcess): Promise<{ exitCode: number | null; stderr: string }> {
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, stderr }));
  });
}
