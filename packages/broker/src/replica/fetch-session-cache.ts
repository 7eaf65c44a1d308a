import { nextInt, topicPartitionKey } from '@klassic/common';
import type { Logger, Random, Time, TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import { finalEpoch, initialEpoch, invalidSessionId, isFullFetch, nextFetchEpoch } from './fetch-metadata.ts';
import type { FetchMetadata } from './fetch-metadata.ts';
import {
  FetchSession,
  fullContext,
  incrementalContext,
  sessionErrorContext,
  sessionlessContext,
} from './fetch-session.ts';
import type { FetchContext } from './fetch-session.ts';
import type { FetchPartitionData, FetchRequestPartition } from './messages.ts';

/** A session unused for this long may be pushed out by any other, ms (`FetchSessionCache` of the reference's broker). */
const evictionMs = 120_000;

/** The fetch sessions of a broker, a bounded number of them. Counterpart of `kafka.server.FetchSessionCache`. */
export class FetchSessionCache {
  private readonly maxEntries: number;
  private readonly random: Random;
  /** Least recently used first. */
  private readonly sessions = new Map<number, FetchSession>();
  private evicted = 0;

  /** @param maxEntries `max.incremental.fetch.session.cache.slots` */
  constructor(maxEntries: number, random: Random) {
    this.maxEntries = maxEntries;
    this.random = random;
  }

  get size(): number {
    return this.sessions.size;
  }

  /** Partitions of all sessions together: `NumIncrementalFetchPartitionsCached`. */
  get totalPartitions(): number {
    let total = 0;
    for (const session of this.sessions.values()) total += session.size;
    return total;
  }

  /** Sessions pushed out since the start. */
  get evictions(): number {
    return this.evicted;
  }

  get(sessionId: number): FetchSession | undefined {
    return this.sessions.get(sessionId);
  }

  remove(sessionId: number): void {
    this.sessions.delete(sessionId);
  }

  touch(session: FetchSession, nowMs: number): void {
    session.lastUsedMs = nowMs;
    this.sessions.delete(session.id);
    this.sessions.set(session.id, session);
  }

  /** Begins a session at the epoch after the first, if there is room or room can be made. */
  maybeCreateSession(nowMs: number, privileged: boolean, size: number): FetchSession | undefined {
    if (this.sessions.size >= this.maxEntries && !this.tryEvict(privileged, size, nowMs)) return undefined;
    const session = new FetchSession(this.newSessionId(), privileged, nowMs, nextFetchEpoch(initialEpoch));
    this.sessions.set(session.id, session);
    return session;
  }

  /**
   * Makes room: by the session unused for longest, if that is over two minutes; else by the smallest among those that may
   * be pushed out, if it is no larger than the new one. A young follower's session makes room for nobody, a young
   * consumer's for a follower's only.
   */
  private tryEvict(privileged: boolean, size: number, nowMs: number): boolean {
    const oldest = this.sessions.values().next().value;
    if (oldest !== undefined && nowMs - oldest.lastUsedMs > evictionMs) return this.evict(oldest);
    let victim: FetchSession | undefined;
    for (const session of this.sessions.values()) {
      const old = nowMs - session.creationMs > evictionMs;
      if (!old && !(privileged && !session.privileged)) continue;
      if (victim === undefined || comparesBelow(session, victim)) victim = session;
    }
    const newcomer = { privileged, size, id: invalidSessionId };
    return victim !== undefined && !comparesBelow(newcomer, victim) && this.evict(victim);
  }

  private evict(session: FetchSession): true {
    this.sessions.delete(session.id);
    this.evicted += 1;
    return true;
  }

  private newSessionId(): number {
    for (;;) {
      const id = 1 + nextInt(this.random, 0x7ffffffe);
      if (!this.sessions.has(id)) return id;
    }
  }
}

/** Order in which sessions go: consumers' before followers', small before large (`EvictableKey`). */
function comparesBelow(
  left: Pick<FetchSession, 'privileged' | 'size' | 'id'>,
  right: Pick<FetchSession, 'privileged' | 'size' | 'id'>,
): boolean {
  if (left.privileged !== right.privileged) return !left.privileged;
  return left.size !== right.size ? left.size < right.size : left.id < right.id;
}

/** Finds the session of each fetch. Counterpart of `kafka.server.FetchManager`. */
export class FetchManager {
  readonly cache: FetchSessionCache;
  private readonly time: Time;
  private readonly logger: Logger;

  constructor(time: Time, cache: FetchSessionCache, logger: Logger) {
    this.time = time;
    this.cache = cache;
    this.logger = logger;
  }

  /**
   * The context of a fetch: what to read, and how to answer.
   *
   * @param metadata session id and epoch of the request; version 6 and below: id 0, epoch -1
   * @param requested the partitions the request names
   * @param toForget the partitions the request takes out of the session
   * @param isFollower whether a broker fetches
   */
  newContext(
    metadata: FetchMetadata,
    requested: readonly FetchRequestPartition[],
    toForget: readonly TopicPartition[],
    isFollower: boolean,
  ): FetchContext {
    if (isFullFetch(metadata)) {
      if (metadata.sessionId !== invalidSessionId) this.cache.remove(metadata.sessionId);
      if (metadata.epoch === finalEpoch) return sessionlessContext(requested);
      return fullContext(requested, (fetched) => this.createSession(requested, fetched, isFollower));
    }
    const session = this.cache.get(metadata.sessionId);
    if (session === undefined) {
      this.logger.debug(`Session error for ${metadata.sessionId}: no such session ID found.`);
      return sessionErrorContext(Errors.FETCH_SESSION_ID_NOT_FOUND);
    }
    if (session.epoch !== metadata.epoch) {
      this.logger.debug(
        `Session error for ${session.id}: expected epoch ${session.epoch}, but got ${metadata.epoch} instead.`,
      );
      return sessionErrorContext(Errors.INVALID_FETCH_SESSION_EPOCH);
    }
    session.update(requested, toForget);
    if (session.size === 0) {
      this.cache.remove(session.id);
      return sessionlessContext(requested);
    }
    this.cache.touch(session, this.time.milliseconds());
    session.epoch = nextFetchEpoch(session.epoch);
    return incrementalContext(session, metadata);
  }

  private createSession(
    requested: readonly FetchRequestPartition[],
    fetched: readonly FetchPartitionData[],
    isFollower: boolean,
  ): number {
    const session = this.cache.maybeCreateSession(this.time.milliseconds(), isFollower, fetched.length);
    if (session === undefined) return invalidSessionId;
    const byKey = new Map(fetched.map((data) => [topicPartitionKey(data.topic, data.partition), data]));
    for (const request of requested) {
      const data = byKey.get(topicPartitionKey(request.topic, request.partition));
      if (data !== undefined) session.add(request, data);
    }
    return session.id;
  }
}
