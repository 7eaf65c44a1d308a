import { buildBatch } from '@klassic/protocol';
import type { ApiName, RequestInit, BatchOptions, Magic } from '@klassic/protocol';

/** Of every record, ms. */
export const timestamp = 1_600_000_000_000;

/** The topics of the test, with their settings. */
export const topics: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  compacted: { 'cleanup.policy': 'compact' },
  stamped: { 'message.timestamp.type': 'LogAppendTime' },
  small: { 'max.message.bytes': '200' },
  strict: { 'message.timestamp.difference.max.ms': '1000' },
  old: { 'message.format.version': '0.10.0' },
  oldest: { 'message.format.version': '0.8.2' },
  lz4: { 'compression.type': 'lz4' },
  strong: { 'min.insync.replicas': '2' },
};

/** A request that both brokers are sent. */
export interface Question {
  readonly what: string;
  readonly api: ApiName;
  readonly version: number;
  readonly body: object;
}

export function ask<A extends ApiName>(what: string, api: A, version: number, body: RequestInit<A>): Question {
  return { what: `${api} v${version}: ${what}`, api, version, body };
}

export function batch(value: string, options: Partial<BatchOptions> = {}): Buffer {
  return buildBatch({ records: [{ timestamp, key: Buffer.from('key'), value: Buffer.from(value) }], ...options });
}

/** The newest record format that a version of Produce takes. */
export function magicOf(version: number): Magic {
  return version >= 3 ? 2 : version === 2 ? 1 : 0;
}

export function produce(
  what: string,
  version: number,
  topic: string,
  index: number,
  records: Buffer | null,
  acks = 1,
): Question {
  const topicData = [{ name: topic, partitionData: [{ index, records }] }];
  return ask(what, 'Produce', version, { transactionalId: null, acks, timeoutMs: 5000, topicData });
}

export function altered(records: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(records);
  copy[at] = byte;
  return copy;
}
