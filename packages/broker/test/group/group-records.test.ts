import { describe, expect, it } from '@jest/globals';
import { MalformedMessageError } from '@klassic/protocol';
import { describeWithReference, readReferenceLines } from '@klassic/test-support';
import { coordinatorPartition } from '../../src/group/coordinator-partition.ts';
import {
  groupMetadataKey,
  groupMetadataValue,
  offsetCommitKey,
  offsetCommitValue,
  readGroupMetadataValue,
  readOffsetCommitValue,
  readStoredKey,
} from '../../src/group/group-records.ts';

interface OffsetJson {
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata: string;
  readonly commitTimestamp: number;
  readonly expireTimestamp?: number;
}

interface GroupJson {
  readonly protocolType: string;
  readonly generation: number;
  readonly protocol: string | null;
  readonly leader: string | null;
  readonly currentStateTimestamp: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    readonly rebalanceTimeout: number;
    readonly sessionTimeout: number;
    readonly subscription: string;
    readonly assignment: string;
  }[];
}

interface Vector {
  readonly topic: string;
  readonly name: string;
  readonly interBrokerProtocol: string;
  readonly key: {
    readonly json: { readonly group: string; readonly topic: string; readonly partition: number };
    readonly hex: string;
  };
  readonly value: {
    readonly message: string;
    readonly version: number;
    readonly json: unknown;
    readonly hex: string;
  } | null;
}

/** The vectors' offset is beyond what JSON.parse takes apart only in `__transaction_state`. */
function vectors(): Vector[] {
  return readReferenceLines('vectors', 'internal-topics.jsonl')
    .map((line) => JSON.parse(line) as Vector)
    .filter(({ topic }) => topic === '__consumer_offsets');
}

function offsetOf(json: OffsetJson): Parameters<typeof offsetCommitValue>[0] {
  const expireTimestamp =
    json.expireTimestamp === undefined || json.expireTimestamp < 0 ? undefined : json.expireTimestamp;
  return { ...json, leaderEpoch: json.leaderEpoch ?? -1, expireTimestamp };
}

function groupOf(json: GroupJson): Parameters<typeof groupMetadataValue>[0] {
  return {
    ...json,
    members: json.members.map((member) => ({
      ...member,
      subscription: Buffer.from(member.subscription, 'base64'),
      assignment: Buffer.from(member.assignment, 'base64'),
    })),
  };
}

describeWithReference(describe)('records of __consumer_offsets beside the vectors', () => {
  it('has the reference keys, whatever the protocol version', () => {
    for (const { key } of vectors()) {
      const { group, topic, partition } = key.json;
      const isOffset = topic !== undefined;
      const own = isOffset ? offsetCommitKey(group, { topic, partition }) : groupMetadataKey(group);
      expect(own.toString('hex')).toBe(key.hex);
      const stored = readStoredKey(own);
      expect(stored).toEqual(
        isOffset ? { kind: 'offset', groupId: group, target: { topic, partition } } : { kind: 'group', groupId: group },
      );
    }
  });

  it('writes the values of inter-broker protocol 2.3 and above', () => {
    let compared = 0;
    for (const { value, interBrokerProtocol } of vectors()) {
      if (value === null || interBrokerProtocol !== '2.8') continue;
      const own =
        value.message === 'OffsetCommitValue'
          ? offsetCommitValue(offsetOf(value.json as OffsetJson))
          : groupMetadataValue(groupOf(value.json as GroupJson));
      expect(own.toString('hex')).toBe(value.hex);
      compared += 1;
    }
    expect(compared).toBe(5);
  });

  it('reads the values of every protocol version', () => {
    for (const { value } of vectors()) {
      if (value === null) continue;
      const bytes = Buffer.from(value.hex, 'hex');
      if (value.message === 'OffsetCommitValue') {
        expect(readOffsetCommitValue(bytes)).toEqual(offsetOf(value.json as OffsetJson));
      } else {
        const { generation, leader, members } = readGroupMetadataValue(bytes);
        const json = value.json as GroupJson;
        expect([generation, leader, members.map(({ memberId }) => memberId)]).toEqual([
          json.generation,
          json.leader,
          json.members.map(({ memberId }) => memberId),
        ]);
        for (const [index, { rebalanceTimeout }] of members.entries()) {
          const expected = json.members[index]!;
          expect(rebalanceTimeout).toBe(expected.rebalanceTimeout ?? expected.sessionTimeout);
        }
      }
    }
  });

  it('finds the reference partition of every id', () => {
    for (const line of readReferenceLines('vectors', 'algorithms', 'coordinator-partition.jsonl')) {
      const { id, partitionOf50, partitionOf7 } = JSON.parse(line) as Record<string, number> & { id: string };
      expect([id, coordinatorPartition(id, 50), coordinatorPartition(id, 7)]).toEqual([
        id,
        partitionOf50,
        partitionOf7,
      ]);
    }
  });
});

describe('records of __consumer_offsets', () => {
  it('refuses keys of no known kind', () => {
    expect(() => readStoredKey(Buffer.from([0, 9, 0, 0]))).toThrow(MalformedMessageError);
    expect(() => readStoredKey(Buffer.from([0]))).toThrow(MalformedMessageError);
  });
});
