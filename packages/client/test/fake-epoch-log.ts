import { buildBatch, Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { FakeBroker, Handlers } from './fake-broker.ts';

interface Entry {
  readonly epoch: number;
  readonly value: string;
}

/** A fetch of partition 0 as a broker got it. */
export interface SeenFetch {
  readonly broker: number;
  readonly rackId: string;
  readonly fetchOffset: number;
  readonly currentLeaderEpoch: number;
  readonly lastFetchedEpoch: number;
}

/** The log of partition 0 with its leader epochs, served by every replica, and what it was asked for. */
export class FakeEpochLog {
  readonly entries: Entry[] = [];
  readonly fetches: SeenFetch[] = [];
  readonly validations: { readonly broker: number; readonly body: RequestOf<'OffsetForLeaderEpoch'> }[] = [];
  /** Replica that the leader names to consumers with a rack; -1 for none. */
  preferredReadReplica = -1;
  /** What a follower answers fetches with. */
  followerError = 0;
  /** What the next validation is answered with. */
  nextValidationError = 0;
  /** How long the answer to a validation takes. */
  validationMs = 0;
  /** The leader epochs that ListOffsets came with. */
  readonly listed: number[] = [];

  append(epoch: number, ...values: string[]): void {
    this.entries.push(...values.map((value) => ({ epoch, value })));
  }

  /** Loses what lies at `offset` and after it. */
  truncate(offset: number): void {
    this.entries.splice(offset);
  }

  get handlers(): Handlers {
    return {
      Fetch: async (body, broker) => {
        const answer = this.fetch(body, broker);
        // As a long poll, so that a consumer with nothing to read does not spin.
        const [partition] = answer.responses![0]!.partitionResponses!;
        if (partition!.recordSet?.length === 0 && partition!.preferredReadReplica === -1) await pause(20);
        return answer;
      },
      OffsetForLeaderEpoch: async (body, broker) => {
        const answer = this.validate(body, broker);
        await pause(this.validationMs);
        return answer;
      },
      ListOffsets: ({ topics }, { cluster }) => ({
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex, timestamp, currentLeaderEpoch }) => {
            this.listed.push(currentLeaderEpoch);
            return {
              partitionIndex,
              errorCode: epochError(currentLeaderEpoch, cluster.leaderEpoch),
              offset: timestamp === -2 ? 0 : this.entries.length,
            };
          }),
        })),
      }),
    };
  }

  private fetch({ topics, rackId }: RequestOf<'Fetch'>, { id, cluster }: FakeBroker): ResponseInit<'Fetch'> {
    const [{ partition, fetchOffset, currentLeaderEpoch, lastFetchedEpoch }] = topics[0]!.partitions as [
      RequestOf<'Fetch'>['topics'][number]['partitions'][number],
    ];
    this.fetches.push({ broker: id, rackId, fetchOffset, currentLeaderEpoch, lastFetchedEpoch });
    const isLeader = cluster.leaders[partition] === id;
    const isSentOn = isLeader && rackId !== '' && this.preferredReadReplica >= 0;
    const epoch = epochError(currentLeaderEpoch, cluster.leaderEpoch);
    const range = fetchOffset > this.entries.length ? Errors.OFFSET_OUT_OF_RANGE.code : 0;
    const errorCode = (isLeader ? 0 : this.followerError) || epoch || range;
    const answer = {
      partition,
      errorCode,
      highWatermark: this.entries.length,
      recordSet: errorCode !== 0 || isSentOn ? Buffer.alloc(0) : this.batchAt(fetchOffset),
      preferredReadReplica: isSentOn && errorCode === 0 ? this.preferredReadReplica : -1,
    };
    return { responses: [{ topic: 't', partitionResponses: [answer] }] };
  }

  /** What one leader appended from `offset` on. */
  private batchAt(offset: number): Buffer {
    const first = this.entries[offset];
    if (first === undefined) return Buffer.alloc(0);
    const end = this.entries.findIndex(({ epoch }, index) => index > offset && epoch !== first.epoch);
    const records = this.entries
      .slice(offset, end < 0 ? undefined : end)
      .map(({ value }) => ({ timestamp: 1, key: null, value: Buffer.from(value) }));
    return buildBatch({ baseOffset: offset, partitionLeaderEpoch: first.epoch, records });
  }

  private validate(
    body: RequestOf<'OffsetForLeaderEpoch'>,
    { id, cluster }: FakeBroker,
  ): ResponseInit<'OffsetForLeaderEpoch'> {
    this.validations.push({ broker: id, body });
    const forced = this.nextValidationError;
    this.nextValidationError = 0;
    return {
      topics: body.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          const errorCode = forced || epochError(currentLeaderEpoch, cluster.leaderEpoch);
          return { partition, errorCode, ...(errorCode === 0 ? this.endOf(leaderEpoch, cluster.leaderEpoch) : {}) };
        }),
      })),
    };
  }

  private endOf(epoch: number, ownEpoch: number): { leaderEpoch: number; endOffset: number } {
    const known = epoch > ownEpoch ? [] : this.entries.filter((entry) => entry.epoch <= epoch);
    const last = known.at(-1);
    return last === undefined
      ? { leaderEpoch: -1, endOffset: -1 }
      : { leaderEpoch: last.epoch, endOffset: known.length };
  }
}

function epochError(asked: number, current: number): number {
  if (asked < 0 || asked === current) return 0;
  return asked < current ? Errors.FENCED_LEADER_EPOCH.code : Errors.UNKNOWN_LEADER_EPOCH.code;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
