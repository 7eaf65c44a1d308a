import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, killNow } from '@klassic/lab';
import { killAfterwards } from '@klassic/test-support';

/** What kafka-run-class.sh gives a tool's virtual machine by default; the heap is the tool's own script's. */
const flags = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];

/** No run takes as long, whatever the machine. */
const RUN_TIMEOUT_MS = 600_000;

export interface ProduceOptions {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
  /** Records a second; -1: as many as possible. */
  readonly throughput?: number;
  readonly properties: Readonly<Record<string, string>>;
}

export interface Produced {
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Apache Kafka's own performance tools, unmodified, against any cluster. */
export class JavaClients {
  private readonly java: string;
  private readonly libs: string;
  private readonly folder: string;

  /** @param folder takes their log4j.properties */
  constructor(java: string, libs: string, folder: string) {
    this.java = java;
    this.libs = libs;
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'log4j.properties'),
      `log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.Target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n
`,
    );
  }

  /** kafka-producer-perf-test. @throws Error with what it said when it fails */
  async produce(bootstrapServers: string, options: ProduceOptions): Promise<Produced> {
    const properties = Object.entries({ 'bootstrap.servers': bootstrapServers, ...options.properties });
    const output = await this.run('ProducerPerformance', '512M', [
      ...['--topic', options.topic, '--num-records', String(options.records)],
      ...['--record-size', String(options.recordBytes), '--throughput', String(options.throughput ?? -1)],
      ...['--producer-props', ...properties.map(([name, value]) => `${name}=${value}`)],
    ]);
    const last = output.trim().split('\n').at(-1)!;
    return {
      recordsPerSecond: figure(last, /^\d+ records sent, ([\d.]+) records\/sec/, output),
      p50Ms: figure(last, /(\d+) ms 50th/, output),
      p99Ms: figure(last, /(\d+) ms 99th/, output),
    };
  }

  /** kafka-consumer-perf-test. @returns records a second while it fetched: joining the group is left out */
  async consume(bootstrapServers: string, topic: string, records: number): Promise<number> {
    const output = await this.run('ConsumerPerformance', '512M', [
      ...['--bootstrap-server', bootstrapServers, '--topic', topic, '--messages', String(records)],
      ...['--timeout', '60000'],
    ]);
    // The columns begin with two times and end with fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec.
    const line = output.trim().split('\n').at(-1)!;
    const columns = line.split(',').map((column) => column.trim());
    if (columns.length !== 10) throw new Error(`kafka-consumer-perf-test: ${output}`);
    if (Number(columns[4]) < records) throw new Error(`${columns[4]} of ${records} records were consumed`);
    return Number(columns[9]);
  }

  /** kafka-e2e-latency: one record at a time, produced and consumed. */
  async endToEnd(bootstrapServers: string, topic: string, records: number, acks: '1' | 'all'): Promise<Latency> {
    const output = await this.run('EndToEndLatency', '256M', [bootstrapServers, topic, String(records), acks, '100']);
    const line = /^Percentiles: .*$/m.exec(output)?.[0] ?? '';
    return { p50Ms: figure(line, /50th = (\d+)/, output), p99Ms: figure(line, /99th = (\d+)/, output) };
  }

  private async run(tool: string, heap: string, args: readonly string[]): Promise<string> {
    const log4j = `-Dlog4j.configuration=file:${join(this.folder, 'log4j.properties')}`;
    const classPath = ['-cp', `${this.libs}/*`, `org.apache.kafka.tools.${tool}`];
    const child = spawn(this.java, [`-Xmx${heap}`, ...flags, log4j, ...classPath, ...args]);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity !== undefined) killAfterwards(identity);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_TIMEOUT_MS);
    try {
      const ended = await new Promise<string>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (status, signal) => resolve(status === 0 ? '' : `ended by ${signal ?? status}`));
      });
      if (ended !== '') throw new Error(`${tool} ${ended}: ${output.trim().split('\n').slice(-3).join(' / ')}`);
      return output;
    } finally {
      clearTimeout(timer);
      if (identity !== undefined) await killNow(identity);
    }
  }
}

function figure(line: string, pattern: RegExp, output: string): number {
  const found = pattern.exec(line)?.[1];
  if (found === undefined) throw new Error(`unexpected output: ${output.trim().split('\n').slice(-3).join(' / ')}`);
  return Number(found);
}
