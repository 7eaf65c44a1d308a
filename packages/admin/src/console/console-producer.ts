import { createInterface } from 'node:readline';
import { Producer } from '@klassic/client';
import type { ProducerRecord } from '@klassic/client';
import { KafkaError } from '@klassic/protocol';
import { parseArguments, parsePairs, required } from '../arguments.ts';
import { clientOptions, readProperties } from '../client-settings.ts';
import { logLine, UsageError } from '../tool.ts';
import type { Tool, ToolIo } from '../tool.ts';
import { LineMessageReader } from './line-message-reader.ts';

const options = {
  'batch-size': 'number',
  'bootstrap-server': 'string',
  'broker-list': 'string',
  'compression-codec': 'string',
  'line-reader': 'string',
  'max-block-ms': 'number',
  'max-memory-bytes': 'number',
  'max-partition-memory-bytes': 'number',
  'message-send-max-retries': 'number',
  'metadata-expiry-ms': 'number',
  'producer-property': 'strings',
  'producer.config': 'string',
  property: 'strings',
  'request-required-acks': 'string',
  'request-timeout-ms': 'number',
  'retry-backoff-ms': 'number',
  'socket-buffer-size': 'number',
  sync: 'flag',
  timeout: 'number',
  topic: 'string',
} as const;

/** What the tool sets where neither options nor properties do. */
const defaults: readonly (readonly [string, string])[] = [
  ['client.id', 'console-producer'],
  ['linger.ms', '1000'],
  ['acks', '1'],
  ['request.timeout.ms', '1500'],
  ['retries', '3'],
  ['compression.type', 'none'],
];

/** Records that may be on their way before reading pauses. */
const MAX_PENDING = 10_000;

/** kafka-console-producer: sends the lines of standard input. Counterpart of `kafka.tools.ConsoleProducer`. */
export const consoleProducerCommand: Tool = async (argv, io) => {
  const args = parseArguments(withDefaultCodec(argv), options);
  const topic = required(args.topic, 'topic');
  const servers = args['bootstrap-server'] ?? args['broker-list'];
  if (servers === undefined) throw new UsageError('Missing required option(s) [bootstrap-server]');
  const settings = new Map([
    ...defaults,
    ...(args['producer.config'] === undefined ? [] : readProperties(args['producer.config'])),
    ...parsePairs(args['producer-property']),
  ]);
  const override = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) settings.set(name, String(value));
  };
  override('acks', args['request-required-acks']);
  override('linger.ms', args.timeout);
  override('compression.type', args['compression-codec']);
  override('batch.size', args['max-partition-memory-bytes']);
  override('buffer.memory', args['max-memory-bytes']);
  override('max.block.ms', args['max-block-ms']);
  override('request.timeout.ms', args['request-timeout-ms']);
  override('retries', args['message-send-max-retries']);
  override('retry.backoff.ms', args['retry-backoff-ms']);
  override('metadata.max.age.ms', args['metadata-expiry-ms']);
  const producer = new Producer(clientOptions(servers, settings));
  const reader = new LineMessageReader(topic, parsePairs(args.property));
  try {
    await sendLines(producer, reader, io, args.sync);
    return 0;
  } finally {
    await producer.close();
  }
};

/** `--compression-codec` without a value means gzip. */
function withDefaultCodec(argv: readonly string[]): string[] {
  return argv.flatMap((argument, index) => {
    const next = argv[index + 1];
    const alone = argument === '--compression-codec' && (next === undefined || next.startsWith('--'));
    return alone ? [argument, 'gzip'] : [argument];
  });
}

async function sendLines(producer: Producer, reader: LineMessageReader, io: ToolIo, sync: boolean): Promise<void> {
  const lines = createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY, signal: io.signal });
  const prompt = (): void => {
    if (io.stdin.isTTY === true) io.out('>');
  };
  const pending = new Set<Promise<void>>();
  prompt();
  try {
    for await (const line of lines) {
      const sent = send(producer, reader.read(line), io);
      pending.add(sent);
      void sent.finally(() => pending.delete(sent));
      if (sync || pending.size >= MAX_PENDING) await sent;
      prompt();
    }
  } finally {
    lines.close();
  }
}

async function send(producer: Producer, record: ProducerRecord, io: ToolIo): Promise<void> {
  try {
    await producer.send(record);
  } catch (error) {
    const sizeOf = (data: ProducerRecord['value'] | undefined): string =>
      data === null || data === undefined ? 'null' : `${Buffer.byteLength(data)} bytes`;
    logLine(
      io,
      'ERROR',
      `Error when sending message to topic ${record.topic} with key: ${sizeOf(record.key)}, value: ${sizeOf(record.value)} with error:`,
      'org.apache.kafka.clients.producer.internals.ErrorLoggingCallback',
    );
    io.err(`${className(error as Error)}: ${(error as Error).message}\n`);
  }
}

/** The Java class that stands for an error in the original's output. */
function className(error: Error): string {
  if (error instanceof KafkaError) return `org.apache.kafka.common.errors.${error.error.exception}`;
  return error.name === 'TimeoutError' ? 'org.apache.kafka.common.errors.TimeoutException' : error.name;
}
