import type { Logger, Time } from '@klassic/common';
import { buildBatch, errorByCode, Errors } from '@klassic/protocol';
import type { CompressionType, ErrorEntry, SimpleRecord } from '@klassic/protocol';
import type { GroupConfig } from './group-config.ts';
import type { GroupLog } from './group-log.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { CommittedOffset } from './group-offsets.ts';
import {
  groupMetadataKey,
  groupMetadataTopic,
  groupMetadataValue,
  offsetCommitKey,
  offsetCommitValue,
} from './group-records.ts';
import type { OffsetsToCommit } from './messages.ts';

/** The producer that commits offsets in a transaction. */
export interface TransactionalProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

const codecs: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Committed offsets have a base sequence in the reference's log, producer or not. */
const offsetsBaseSequence = 0;

const leaderOnly = 0;

export interface GroupStoreOptions {
  readonly config: GroupConfig;
  readonly groupLog: GroupLog;
  readonly partitionFor: (groupId: string) => number;
  readonly time: Time;
  readonly logger: Logger;
}

/** Writes groups, offsets and tombstones to `__consumer_offsets`. */
export class GroupStore {
  private readonly options: GroupStoreOptions;
  private readonly compression: CompressionType;

  constructor(options: GroupStoreOptions) {
    this.options = options;
    this.compression = codecs[options.config.offsetsTopicCompressionCodec] ?? 'none';
  }

  /**
   * Stores the group with its members' assignments.
   *
   * @returns NONE, or what the members are told
   */
  async storeGroup(group: GroupMetadata, assignments: ReadonlyMap<string, Buffer>): Promise<ErrorEntry> {
    const { groupId, generationId } = group;
    const key = groupMetadataKey(groupId);
    const value = groupMetadataValue(group.storedValue(assignments));
    const timestamp = this.options.time.milliseconds();
    const appended = await this.append(
      groupId,
      buildBatch({
        compression: this.compression,
        records: [{ timestamp, key, value }],
      }),
    );
    if (appended.error === Errors.NONE) return Errors.NONE;
    const failed = `Metadata from group ${groupId} with generation ${generationId} failed when appending to log due to`;
    this.options.logger.debug(`${failed} ${appended.error.name}`);
    const told = groupError(appended.error);
    if (told === Errors.UNKNOWN_SERVER_ERROR) this.options.logger.error(`${failed} ${appended.error.name}`);
    return told;
  }

  /**
   * Stores committed offsets, in a producer's transaction if one is given.
   *
   * @returns NONE and the log offset of their batch, or what the committer is told
   */
  async storeOffsets(
    groupId: string,
    offsets: OffsetsToCommit,
    producer?: TransactionalProducer,
  ): Promise<{ readonly error: ErrorEntry; readonly baseOffset: number }> {
    const timestamp = this.options.time.milliseconds();
    const records = [...offsets.values()].map(({ target, offset }) => ({
      timestamp,
      key: offsetCommitKey(groupId, target),
      value: offsetCommitValue(offset),
    }));
    const appended = await this.append(
      groupId,
      buildBatch({
        compression: this.compression,
        records,
        baseSequence: offsetsBaseSequence,
        ...(producer === undefined ? {} : { ...producer, isTransactional: true }),
      }),
    );
    return { error: commitError(appended.error), baseOffset: appended.baseOffset };
  }

  /**
   * Marks offsets, and with them perhaps the group, as gone. Nobody waits for followers: should the tombstones be lost,
   * the next coordinator finds the same things expired.
   *
   * @returns whether they are in the log
   */
  async storeTombstones(groupId: string, offsets: readonly CommittedOffset[], withGroup: boolean): Promise<boolean> {
    const timestamp = this.options.time.milliseconds();
    const records: SimpleRecord[] = offsets.map(({ target }) => ({
      timestamp,
      key: offsetCommitKey(groupId, target),
      value: null,
    }));
    if (withGroup) records.push({ timestamp, key: groupMetadataKey(groupId), value: null });
    if (records.length === 0) return true;
    const { config, groupLog, logger, partitionFor } = this.options;
    const partition = partitionFor(groupId);
    const batch = buildBatch({ compression: this.compression, records });
    const { errorCode } = await groupLog.append(partition, batch, leaderOnly, config.offsetsCommitTimeoutMs);
    if (errorCode === Errors.NONE.code) return true;
    logger.error(
      `Failed to append ${records.length} tombstones to ${groupMetadataTopic}-${partition} for expired/deleted offsets ` +
        `and/or metadata for group ${groupId}: ${errorByCode(errorCode).name}`,
    );
    return false;
  }

  private async append(groupId: string, batch: Buffer): Promise<{ error: ErrorEntry; baseOffset: number }> {
    const { config, groupLog, partitionFor } = this.options;
    const partition = partitionFor(groupId);
    if (!groupLog.isHosted(partition)) return { error: Errors.NOT_LEADER_OR_FOLLOWER, baseOffset: -1 };
    const { offsetsCommitRequiredAcks, offsetsCommitTimeoutMs } = config;
    const result = await groupLog.append(partition, batch, offsetsCommitRequiredAcks, offsetsCommitTimeoutMs);
    return { error: errorByCode(result.errorCode), baseOffset: result.baseOffset };
  }
}

/** What any request to the coordinator is told when its append failed. */
function coordinatorError(error: ErrorEntry): ErrorEntry | undefined {
  switch (error) {
    case Errors.UNKNOWN_TOPIC_OR_PARTITION:
    case Errors.NOT_ENOUGH_REPLICAS:
    case Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return Errors.COORDINATOR_NOT_AVAILABLE;
    case Errors.NOT_LEADER_OR_FOLLOWER:
    case Errors.KAFKA_STORAGE_ERROR:
      return Errors.NOT_COORDINATOR;
    default:
      return undefined;
  }
}

function isTooLarge(error: ErrorEntry): boolean {
  return (
    error === Errors.MESSAGE_TOO_LARGE || error === Errors.RECORD_LIST_TOO_LARGE || error === Errors.INVALID_FETCH_SIZE
  );
}

function groupError(error: ErrorEntry): ErrorEntry {
  if (error === Errors.REQUEST_TIMED_OUT) return Errors.REBALANCE_IN_PROGRESS;
  return coordinatorError(error) ?? (isTooLarge(error) ? Errors.UNKNOWN_SERVER_ERROR : error);
}

function commitError(error: ErrorEntry): ErrorEntry {
  return coordinatorError(error) ?? (isTooLarge(error) ? Errors.INVALID_COMMIT_OFFSET_SIZE : error);
}
