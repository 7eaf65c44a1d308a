import { describe, expect, it } from '@jest/globals';
import {
  decodeMessage,
  encodeMessage,
  encodeVersionedMessage,
  MetadataResponse,
  OffsetCommitKey,
} from '../src/index.ts';

const partition = (index: number): object => ({
  errorCode: 0,
  partitionIndex: index,
  leaderId: 1,
  leaderEpoch: 5,
  replicaNodes: [1, 2, 3],
  isrNodes: [1, 2, 3],
  offlineReplicas: [2],
});

describe('the binary writer', () => {
  // Null strings, strings, arrays and fixed fields: each kind of write is the one that finds the buffer full, in turn.
  const body = (rack: string | null, partitions: number): object => ({
    brokers: [
      { nodeId: 1, host: 'localhost', port: 9092, rack },
      { nodeId: 2, host: 'localhost', port: 9093, rack: null },
    ],
    clusterId: null,
    controllerId: 1,
    topics: [
      {
        errorCode: 0,
        name: 'orders',
        isInternal: false,
        partitions: Array.from({ length: partitions }, (_, i) => partition(i)),
      },
    ],
  });

  it.each([1, 5, 8, 9, 11])('outgrows its buffer anywhere in a message without a trace (Metadata v%d)', (version) => {
    for (let filler = 0; filler < 70; filler += 1) {
      const init = body('r'.repeat(filler), 1100 + filler);
      const bytes = encodeMessage(MetadataResponse, version, init);
      const decoded = decodeMessage(MetadataResponse, version, bytes);
      expect(encodeMessage(MetadataResponse, version, decoded).equals(bytes)).toBe(true);
      const [topic] = decoded.topics;
      expect(topic!.partitions.map((each) => each.partitionIndex)).toEqual(
        Array.from({ length: 1100 + filler }, (_, i) => i),
      );
      expect(topic!.partitions.every((each) => each.leaderId === 1 && each.isrNodes.length === 3)).toBe(true);
      expect(decoded.brokers.map((each) => each.rack)).toEqual(['r'.repeat(filler), null]);
    }
  });

  it('writes small messages one after another over the end of its buffer', () => {
    for (let count = 0; count < 20_000; count += 1) {
      const key = { group: `group-${count}`, topic: 'topic'.repeat(count % 13), partition: count };
      const bytes = encodeVersionedMessage(OffsetCommitKey, 1, key);
      expect(bytes.subarray(2 + 2, 2 + 2 + key.group.length).toString()).toBe(key.group);
      expect(bytes.readInt32BE(bytes.length - 4)).toBe(count);
    }
  });
});
