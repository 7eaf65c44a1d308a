import { topicPartitionKey } from '@klassic/common';
import type { Logger, Time } from '@klassic/common';
import { batchesOf, controlRecordTypeOf, MalformedMessageError } from '@klassic/protocol';
import type { GroupMetadataValue, KafkaRecord, RecordBatch } from '@klassic/protocol';
import type { GroupLog } from './group-log.ts';
import type { CommittedOffset } from './group-offsets.ts';
import { groupMetadataTopic, readGroupMetadataValue, readOffsetCommitValue, readStoredKey } from './group-records.ts';
import { MemberMetadata } from './member-metadata.ts';

type Offsets = Map<string, CommittedOffset>;

/** What a partition of `__consumer_offsets` says once all its records are read. */
export class LoadedPartition {
  /** The last stored value of each group that has one. */
  readonly groups: Map<string, GroupMetadataValue> = new Map();
  /** Groups whose last record is a tombstone. */
  readonly removedGroups = new Set<string>();
  private readonly offsets = new Map<string, Offsets>();
  /** producer id → group id → offsets of the open transaction */
  private readonly pending = new Map<number, Map<string, Offsets>>();
  private readonly onGroup: (groupId: string, value: GroupMetadataValue) => void;

  /** @param onGroup told of every stored value of a group, old ones too */
  constructor(onGroup: (groupId: string, value: GroupMetadataValue) => void = () => undefined) {
    this.onGroup = onGroup;
  }

  /** Every group that something is known of. */
  get groupIds(): Set<string> {
    const ids = new Set([...this.groups.keys(), ...this.offsets.keys()]);
    for (const groups of this.pending.values()) {
      for (const [groupId, offsets] of groups) if (offsets.size > 0) ids.add(groupId);
    }
    return ids;
  }

  offsetsOf(groupId: string): ReadonlyMap<string, CommittedOffset> {
    return this.offsets.get(groupId) ?? new Map<string, CommittedOffset>();
  }

  /** By producer id: the group's offsets in transactions that have not ended. */
  pendingOffsetsOf(groupId: string): Map<number, Offsets> {
    const found = new Map<number, Offsets>();
    for (const [producerId, groups] of this.pending) {
      const offsets = groups.get(groupId);
      if (offsets !== undefined && offsets.size > 0) found.set(producerId, offsets);
    }
    return found;
  }

  /** @throws MalformedMessageError when a record is none of the coordinator's */
  apply(batch: RecordBatch): void {
    if (batch.isControlBatch) {
      this.endTransaction(batch);
      return;
    }
    let baseOffset: number | undefined;
    for (const record of batch.records()) {
      baseOffset ??= record.offset;
      this.applyRecord(record, baseOffset, batch.isTransactional ? batch.producerId : undefined);
    }
  }

  private applyRecord({ key: bytes, value }: KafkaRecord, batchOffset: number, producerId: number | undefined): void {
    if (bytes === null) throw new MalformedMessageError('Group metadata/offset entry key should not be null');
    const key = readStoredKey(bytes);
    if (key.kind === 'group') {
      this.applyGroup(key.groupId, value);
      return;
    }
    const { groupId, target } = key;
    const offsets = this.offsetsFor(groupId, producerId);
    const partition = topicPartitionKey(target.topic, target.partition);
    // A later commit moves to the end, as a new one would.
    offsets.delete(partition);
    if (value !== null) offsets.set(partition, { target, committed: readOffsetCommitValue(value), batchOffset });
    else if (offsets.size === 0 && producerId === undefined) this.offsets.delete(groupId);
  }

  private applyGroup(groupId: string, value: Buffer | null): void {
    if (value === null) {
      this.groups.delete(groupId);
      this.removedGroups.add(groupId);
      return;
    }
    const group = readGroupMetadataValue(value);
    this.onGroup(groupId, group);
    this.removedGroups.delete(groupId);
    this.groups.set(groupId, group);
  }

  private endTransaction(batch: RecordBatch): void {
    const [marker] = batch.records();
    if (marker !== undefined && controlRecordTypeOf(marker) === 'COMMIT') this.commit(batch.producerId);
    this.pending.delete(batch.producerId);
  }

  private commit(producerId: number): void {
    for (const [groupId, pending] of this.pending.get(producerId) ?? []) {
      const committed = this.offsetsFor(groupId, undefined);
      for (const [key, offset] of pending) {
        const current = committed.get(key);
        // A plain commit may have come after the transaction's, and before its marker.
        if (current === undefined || current.batchOffset! < offset.batchOffset!) committed.set(key, offset);
      }
    }
  }

  private offsetsFor(groupId: string, producerId: number | undefined): Offsets {
    const groups =
      producerId === undefined ? this.offsets : entryOf(this.pending, producerId, () => new Map<string, Offsets>());
    return entryOf(groups, groupId, () => new Map<string, CommittedOffset>());
  }
}

function entryOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const found = map.get(key) ?? create();
  map.set(key, found);
  return found;
}

/** The members of a stored group. */
export function membersOf(value: GroupMetadataValue): MemberMetadata[] {
  return value.members.map(
    (member) =>
      new MemberMetadata({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeout,
        sessionTimeoutMs: member.sessionTimeout,
        protocolType: value.protocolType,
        protocols: value.protocol === null ? [] : [{ name: value.protocol, metadata: member.subscription }],
        assignment: member.assignment,
      }),
  );
}

export interface LoadOptions {
  readonly groupLog: GroupLog;
  readonly partition: number;
  /** `offsets.load.buffer.size` */
  readonly bufferSize: number;
  readonly time: Time;
  readonly logger: Logger;
  /** Under the name of `GroupMetadata$`: one line per stored member. */
  readonly memberLogger: Logger;
  readonly isShuttingDown: () => boolean;
}

/**
 * Reads a partition from its first record to its last, a buffer at a time, so that others get their turn in between.
 * Ends early when this broker stops leading the partition: what was read is dropped by the unloading that follows.
 *
 * @returns undefined when there is no log
 * @throws MalformedMessageError and others when a record cannot be read
 */
export async function loadPartition(options: LoadOptions): Promise<LoadedPartition | undefined> {
  const { groupLog, partition, bufferSize, time, logger, memberLogger } = options;
  const topicPartition = `${groupMetadataTopic}-${partition}`;
  let offset = groupLog.logStartOffset(partition);
  if (offset === undefined) {
    logger.warn(`Attempted to load offsets and group metadata from ${topicPartition}, but found no log`);
    return undefined;
  }
  const loaded = new LoadedPartition((groupId, value) => {
    for (const member of membersOf(value)) {
      memberLogger.info(`Loaded member ${member.toString()} in group ${groupId} with generation ${value.generation}.`);
    }
  });
  while (!options.isShuttingDown() && offset < (groupLog.leaderEndOffset(partition) ?? -1)) {
    const records = groupLog.read(partition, offset, bufferSize);
    if (records.length === 0) break;
    if (records.length > bufferSize) {
      logger.warn(
        `Loaded offsets and group metadata from ${topicPartition} with buffer larger (${records.length} bytes) than ` +
          `configured offsets.load.buffer.size (${bufferSize} bytes)`,
      );
    }
    for (const batch of batchesOf(records)) {
      loaded.apply(batch);
      offset = batch.nextOffset;
    }
    await new Promise<void>((resolve) => {
      time.soon(resolve);
    });
  }
  return loaded;
}
