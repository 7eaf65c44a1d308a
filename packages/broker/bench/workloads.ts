import { batchesOf, buildBatch } from '@klassic/protocol';
import type { BenchConnection, Leader } from './bench-client.ts';

const FETCH_BYTES = 1024 * 1024;
const FETCH_WAIT_MS = 500;

/** How much is done at most: whatever ends first ends it. */
export interface Limit {
  readonly bytes: number;
  readonly ms: number;
}

/** What was done: record bytes as on the wire. */
export interface Work {
  readonly ms: number;
  readonly requests: number;
  readonly records: number;
  readonly bytes: number;
  /** How long each took, in milliseconds, where that was the question. */
  readonly latenciesMs?: readonly number[];
}

export interface Batch {
  readonly bytes: Buffer;
  readonly records: number;
}

/** One uncompressed batch of at most `batchBytes`, of as many records with values of `valueBytes` as fit (at least one). */
export function batchOf(batchBytes: number, valueBytes: number): Batch {
  const value = Buffer.alloc(valueBytes, 'some words that come back; ');
  const build = (records: number): Buffer =>
    buildBatch({ records: Array.from({ length: records }, () => ({ timestamp: Date.now(), key: null, value })) });
  let records = Math.max(1, Math.floor(batchBytes / valueBytes));
  let bytes = build(records);
  while (records > 1 && bytes.length > batchBytes) {
    // Each record has some bytes of its own beside the value.
    records = Math.min(records - 1, Math.floor((records * batchBytes) / bytes.length));
    bytes = build(records);
  }
  return { bytes, records };
}

/** Appends the same batch again and again, `inFlight` requests at a time on each connection. */
export async function produce(
  targets: readonly { readonly connection: BenchConnection; readonly partitions: readonly Leader[] }[],
  batch: Batch,
  acks: 1 | -1,
  inFlight: number,
  limit: Limit,
): Promise<Work> {
  const start = performance.now();
  let requests = 0;
  const goesOn = (): boolean => requests * batch.bytes.length < limit.bytes && performance.now() - start < limit.ms;
  const senders = targets.flatMap(({ connection, partitions }) => {
    let next = 0;
    return Array.from({ length: inFlight }, async () => {
      while (goesOn()) {
        requests += 1;
        await connection.produce(partitions[next++ % partitions.length]!, batch.bytes, acks);
      }
    });
  });
  await Promise.all(senders);
  const ms = performance.now() - start;
  return { ms, requests, records: requests * batch.records, bytes: requests * batch.bytes.length };
}

/** Reads a partition from its start to its present end, over again until the limit, one request of up to 1 MiB at a time. */
export async function fetchAll(connection: BenchConnection, leader: Leader, limit: Limit): Promise<Work> {
  const start = performance.now();
  const work = { requests: 0, records: 0, bytes: 0 };
  let offset = 0;
  while (work.bytes < limit.bytes && performance.now() - start < limit.ms) {
    const { next, bytes } = wholeBatches(await connection.fetch(leader, offset, FETCH_BYTES, 0), offset);
    work.requests += 1;
    work.records += next - offset;
    work.bytes += bytes;
    offset = next === offset ? 0 : next;
  }
  return { ms: performance.now() - start, ...work };
}

/** Where reading goes on behind the whole batches of an answer, and how many bytes those have. */
function wholeBatches(records: Buffer, offset: number): { readonly next: number; readonly bytes: number } {
  let next = offset;
  let bytes = 0;
  for (const batch of batchesOf(records)) {
    next = batch.nextOffset;
    bytes += batch.sizeInBytes;
  }
  return { next, bytes };
}

/** Sends a small request again and again for `ms`, `inFlight` at a time. */
export async function request(send: () => Promise<unknown>, inFlight: number, ms: number): Promise<Work> {
  const start = performance.now();
  let requests = 0;
  const sender = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      await send();
      requests += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, sender));
  return { ms: performance.now() - start, requests, records: 0, bytes: 0 };
}

/** One record at a time, from before its Produce until a waiting consumer has it and the producer its answer. */
export async function endToEnd(
  producer: BenchConnection,
  consumer: BenchConnection,
  leader: Leader,
  batch: Batch,
  acks: 1 | -1,
  ms: number,
): Promise<Work> {
  const latenciesMs: number[] = [];
  let offset = await producer.produce(leader, batch.bytes, acks);
  const read = async (): Promise<boolean> => {
    const { next } = wholeBatches(await consumer.fetch(leader, offset, FETCH_BYTES, FETCH_WAIT_MS), offset);
    const found = next > offset;
    offset = next;
    return found;
  };
  await read();
  const start = performance.now();
  while (performance.now() - start < ms) {
    const waiting = read();
    const sent = performance.now();
    const [found] = await Promise.all([waiting, producer.produce(leader, batch.bytes, acks)]);
    // A wait that ended just before the record came is no latency: the record is read by the next one.
    if (found) latenciesMs.push(performance.now() - sent);
    else await read();
  }
  const records = latenciesMs.length * batch.records;
  const bytes = latenciesMs.length * batch.bytes.length;
  return { ms: performance.now() - start, requests: 2 * latenciesMs.length, records, bytes, latenciesMs };
}
