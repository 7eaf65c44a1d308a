import { batchesOf } from '@klassic/protocol';
import type { ApiName } from '@klassic/protocol';
import type { TestBroker } from '@klassic/test-support';
import { timestamp } from './question.ts';
import type { Question } from './question.ts';

/** An answer with times, ids and folders taken out, and in an order of its own where the original has none. */
export function normalised(question: Question, answer: unknown, broker: TestBroker): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) => {
    if (key === 'logAppendTimeMs' && value !== -1) return 'now';
    if (key === 'sessionId' && value !== 0) return 'some';
    if (key === 'partitionSize') return undefined;
    if ((key === 'timestamp' || key === 'maxTimestamp') && Number(value) > timestamp + 1_000_000) return 'now';
    if (isBytes(value)) return recordsOf(Buffer.from(value.data));
    if (key === 'batchIndexErrorMessage') return String(value).replace(/within \[.*\]/, 'within a window');
    return value;
  });
  const parsed = JSON.parse(text.replaceAll(broker.folder, 'FOLDER')) as Record<string, unknown>;
  if (question.api === 'DescribeLogDirs') return replicasIn(parsed);
  if (unordered.has(question.api)) return sorted(parsed);
  return parsed;
}

/** The original answers in the order of a hash map. */
const unordered: ReadonlySet<ApiName> = new Set(['AlterReplicaLogDirs', 'DeleteRecords', 'Produce']);

interface DescribedDir {
  readonly logDir: string;
  readonly errorCode: number;
  readonly topics: readonly { name: string; partitions: readonly { partitionIndex: number }[] }[];
}

/** The log dirs, and what lies in any of them: which one a new log comes to lie in depends on who came first. */
function replicasIn(described: Record<string, unknown>): unknown {
  const results = described['results'] as readonly DescribedDir[];
  const replicas = results.flatMap(({ topics: each }) =>
    each.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex }) => `${name}-${partitionIndex}`)),
  );
  const dirs = results.map(({ logDir, errorCode }) => ({ logDir, errorCode }));
  return sorted({ dirs, replicas: [...new Set(replicas)] });
}

function isBytes(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'type') === 'Buffer';
}

/**
 * Records by what they say: compressors differ by a byte or two, and where records are converted to an older format the
 * original fills up to the bytes it had announced with a message that is cut off.
 */
function recordsOf(bytes: Buffer): unknown {
  const batches: unknown[] = [];
  for (const batch of batchesOf(bytes)) {
    const records = [...batch.records()].map((record) => ({
      offset: record.offset,
      timestamp: record.timestamp > timestamp + 1_000_000 ? 'now' : record.timestamp,
      key: record.key?.toString() ?? null,
      value: record.value?.toString() ?? null,
    }));
    batches.push({ magic: batch.magic, compression: batch.compression, records });
  }
  return batches;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted).sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]));
}

/** Where two answers part, a line each: `Fetch v3: plain.responses.0.topic: "a", not "b"`. */
export function differences(expected: unknown, received: unknown, at: string): string[] {
  const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isBranch(expected) || !isBranch(received)) {
    if (Object.is(expected, received)) return [];
    return [`${at}: ${shortened(expected)}, not ${shortened(received)}`];
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(received)]);
  return [...keys].flatMap((key) =>
    differences(Reflect.get(expected, key), Reflect.get(received, key), `${at}.${key}`),
  );
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length})` : text;
}
