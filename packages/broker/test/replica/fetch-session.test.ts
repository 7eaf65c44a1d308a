import { describe, expect, it } from '@jest/globals';
import { MockTime, SeededRandom, silentLogger } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';
import { FetchSessionHandler } from '../../src/replica/fetch-session-handler.ts';
import { FetchManager, FetchSessionCache } from '../../src/replica/index.ts';
import type { FetchPartitionData, FetchRequestPartition } from '../../src/replica/index.ts';

function asked(partition: number, fetchOffset = 0): FetchRequestPartition {
  return { topic: 't', partition, fetchOffset, logStartOffset: 0, maxBytes: 1000, currentLeaderEpoch: 0 };
}

function fetched(partition: number, change: Partial<FetchPartitionData> = {}): FetchPartitionData {
  return {
    topic: 't',
    partition,
    errorCode: 0,
    highWatermark: 10,
    lastStableOffset: 10,
    logStartOffset: 0,
    abortedTransactions: null,
    divergingEpoch: null,
    preferredReadReplica: -1,
    records: Buffer.alloc(0),
    ...change,
  };
}

function manager(slots = 10): { time: MockTime; sessions: FetchManager } {
  const time = new MockTime();
  const cache = new FetchSessionCache(slots, new SeededRandom(1));
  return { time, sessions: new FetchManager(time, cache, silentLogger) };
}

function indexes(partitions: readonly { partition: number }[]): number[] {
  return partitions.map(({ partition }) => partition);
}

describe('a fetch session on the server (KIP-227)', () => {
  it('begins with a full fetch and goes on with what changed', () => {
    const { sessions } = manager();
    const full = sessions.newContext({ sessionId: 0, epoch: 0 }, [asked(0), asked(1)], [], true);
    const { sessionId, partitions } = full.updateAndGenerateResponse([fetched(0), fetched(1)]);
    expect(sessionId).toBeGreaterThan(0);
    expect(indexes(partitions)).toEqual([0, 1]);

    const idle = sessions.newContext({ sessionId, epoch: 1 }, [], [], true);
    expect(indexes(idle.partitions)).toEqual([0, 1]);
    expect(idle.updateAndGenerateResponse([fetched(0), fetched(1)])).toEqual({
      errorCode: 0,
      sessionId,
      partitions: [],
    });

    const changed = sessions.newContext({ sessionId, epoch: 2 }, [asked(0, 5)], [{ topic: 't', partition: 1 }], true);
    expect(changed.partitions).toEqual([asked(0, 5)]);
    const answer = changed.updateAndGenerateResponse([fetched(0, { highWatermark: 11 })]);
    expect(indexes(answer.partitions)).toEqual([0]);
  });

  it('answers records, errors and moved watermarks, and puts what it answered last', () => {
    const { sessions } = manager();
    const requested = [asked(0), asked(1), asked(2)];
    const full = sessions.newContext({ sessionId: 0, epoch: 0 }, requested, [], false);
    const { sessionId } = full.updateAndGenerateResponse(requested.map(({ partition }) => fetched(partition)));
    const next = sessions.newContext({ sessionId, epoch: 1 }, [], [], false);
    const { partitions } = next.updateAndGenerateResponse([
      fetched(0, { records: Buffer.alloc(1) }),
      fetched(1, { errorCode: Errors.NOT_LEADER_OR_FOLLOWER.code, highWatermark: -1, logStartOffset: -1 }),
      fetched(2),
    ]);
    expect(indexes(partitions)).toEqual([0, 1]);
    const last = sessions.newContext({ sessionId, epoch: 2 }, [], [], false);
    expect(indexes(last.partitions)).toEqual([2, 0, 1]);
    // The error is told again as long as it lasts, and the recovery once.
    expect(indexes(last.updateAndGenerateResponse([fetched(2), fetched(0), fetched(1)]).partitions)).toEqual([1]);
  });

  it('refuses an unknown session and another epoch', () => {
    const { sessions } = manager();
    const unknown = sessions.newContext({ sessionId: 7, epoch: 1 }, [], [], true);
    expect(unknown.error).toBe(Errors.FETCH_SESSION_ID_NOT_FOUND);
    const full = sessions.newContext({ sessionId: 0, epoch: 0 }, [asked(0)], [], true);
    const { sessionId } = full.updateAndGenerateResponse([fetched(0)]);
    const wrong = sessions.newContext({ sessionId, epoch: 5 }, [], [], true);
    expect(wrong.error).toBe(Errors.INVALID_FETCH_SESSION_EPOCH);
    expect(wrong.updateAndGenerateResponse([]).errorCode).toBe(Errors.INVALID_FETCH_SESSION_EPOCH.code);
  });

  it('makes no session for epoch -1 and closes the one it names', () => {
    const { sessions } = manager();
    const full = sessions.newContext({ sessionId: 0, epoch: 0 }, [asked(0)], [], true);
    const { sessionId } = full.updateAndGenerateResponse([fetched(0)]);
    const final = sessions.newContext({ sessionId, epoch: -1 }, [asked(0)], [], true);
    expect(final.updateAndGenerateResponse([fetched(0)]).sessionId).toBe(0);
    expect(sessions.cache.size).toBe(0);
  });

  it("keeps the cache bounded: a follower's session pushes a consumer's out, not the other way", () => {
    const { time, sessions } = manager(1);
    const begin = (isFollower: boolean): number =>
      sessions
        .newContext({ sessionId: 0, epoch: 0 }, [asked(0)], [], isFollower)
        .updateAndGenerateResponse([fetched(0)]).sessionId;
    const consumer = begin(false);
    expect(begin(false)).toBe(0);
    const follower = begin(true);
    expect(follower).toBeGreaterThan(0);
    expect(sessions.cache.get(consumer)).toBeUndefined();
    expect(begin(false)).toBe(0);
    return time.advance(120_001).then(() => {
      expect(begin(false)).toBeGreaterThan(0);
      expect(sessions.cache.evictions).toBe(2);
    });
  });
});

describe('FetchSessionHandler', () => {
  function response(sessionId: number, partitions: readonly number[], errorCode = 0): ResponseOf<'Fetch'> {
    const partitionResponses = partitions.map((partition) => ({ partition }));
    return {
      throttleTimeMs: 0,
      errorCode,
      sessionId,
      responses: [{ topic: 't', partitionResponses }],
    } as ResponseOf<'Fetch'>;
  }

  function wanted(...partitions: FetchRequestPartition[]): Map<string, FetchRequestPartition> {
    return new Map(partitions.map((partition) => [`t-${partition.partition}`, partition]));
  }

  it('sends everything first, then what changed, and forgets what went', () => {
    const handler = new FetchSessionHandler(2, silentLogger);
    const full = handler.build(wanted(asked(0), asked(1)));
    expect(full.metadata).toEqual({ sessionId: 0, epoch: 0 });
    expect([...full.toSend.keys()]).toEqual(['t-0', 't-1']);
    expect(handler.handleResponse(response(9, [0, 1]))).toBe(true);

    const next = handler.build(wanted(asked(0), asked(1, 3)));
    expect(next.metadata).toEqual({ sessionId: 9, epoch: 1 });
    expect([...next.toSend.keys()]).toEqual(['t-1']);
    expect(handler.handleResponse(response(9, []))).toBe(true);

    const last = handler.build(wanted(asked(1, 3), asked(2)));
    expect(last.metadata).toEqual({ sessionId: 9, epoch: 2 });
    expect([...last.toSend.keys()]).toEqual(['t-2']);
    expect(last.toForget.map(({ partition }) => partition)).toEqual([0]);
    expect([...last.sessionPartitions.keys()]).toEqual(['t-1', 't-2']);
  });

  it('begins anew after errors, closing the session if it may still exist', () => {
    const handler = new FetchSessionHandler(2, silentLogger);
    handler.build(wanted(asked(0)));
    handler.handleResponse(response(9, [0]));
    handler.build(wanted(asked(0)));
    handler.handleError(new Error('gone'));
    expect(handler.build(wanted(asked(0))).metadata).toEqual({ sessionId: 9, epoch: 0 });
    handler.handleResponse(response(11, [0]));
    handler.build(wanted(asked(0)));
    expect(handler.handleResponse(response(0, [], Errors.FETCH_SESSION_ID_NOT_FOUND.code))).toBe(false);
    expect(handler.build(wanted(asked(0))).metadata).toEqual({ sessionId: 0, epoch: 0 });
  });

  it('does not trust a full response that leaves partitions out', () => {
    const handler = new FetchSessionHandler(2, silentLogger);
    handler.build(wanted(asked(0), asked(1)));
    expect(handler.handleResponse(response(9, [0]))).toBe(false);
    expect(handler.build(wanted(asked(0))).metadata).toEqual({ sessionId: 0, epoch: 0 });
  });
});
