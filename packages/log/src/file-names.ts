import { basename, join } from 'node:path';
import type { TopicPartition } from '@klassic/common';

export const LOG_SUFFIX = '.log';
export const INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TXN_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
export const DELETED_SUFFIX = '.deleted';
export const CLEANED_SUFFIX = '.cleaned';
export const SWAP_SUFFIX = '.swap';
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown';
export const DELETE_DIR_SUFFIX = '-delete';
export const FUTURE_DIR_SUFFIX = '-future';

const MARKED_DIR = /^\S+-\S+\.\S+-(?:delete|future)$/;
const FILE_NAME_LIMIT = 255;

/** `00000000000000000042`: twenty digits, so that names sort as offsets do. */
export function fileNamePrefix(baseOffset: number): string {
  return String(baseOffset).padStart(20, '0');
}

export function logFilePath(dir: string, baseOffset: number, suffix = ''): string {
  return join(dir, fileNamePrefix(baseOffset) + LOG_SUFFIX + suffix);
}

export function offsetIndexPath(dir: string, baseOffset: number, suffix = ''): string {
  return join(dir, fileNamePrefix(baseOffset) + INDEX_SUFFIX + suffix);
}

export function timeIndexPath(dir: string, baseOffset: number, suffix = ''): string {
  return join(dir, fileNamePrefix(baseOffset) + TIME_INDEX_SUFFIX + suffix);
}

export function transactionIndexPath(dir: string, baseOffset: number, suffix = ''): string {
  return join(dir, fileNamePrefix(baseOffset) + TXN_INDEX_SUFFIX + suffix);
}

export function snapshotPath(dir: string, offset: number): string {
  return join(dir, fileNamePrefix(offset) + SNAPSHOT_SUFFIX);
}

/** The offset a file is named by. */
export function offsetFromFileName(name: string): number {
  return Number(name.slice(0, name.indexOf('.')));
}

export function isIndexFileName(name: string): boolean {
  return [INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX].some((suffix) => name.endsWith(suffix));
}

/**
 * The name a partition's folder gets while it waits for deletion; long topic names are cut so that the name fits.
 *
 * @param uniqueId 32 hexadecimal digits
 */
export function deleteDirName(topicPartition: TopicPartition, uniqueId: string): string {
  const suffix = `-${topicPartition.partition}.${uniqueId}${DELETE_DIR_SUFFIX}`;
  return topicPartition.topic.slice(0, FILE_NAME_LIMIT - suffix.length) + suffix;
}

/**
 * The name of the folder of a log that is to replace the partition's in another log dir.
 *
 * @param uniqueId 32 hexadecimal digits
 * @returns null when it would be too long for a file system (the reference refuses such a move)
 */
export function futureDirName(topicPartition: TopicPartition, uniqueId: string): string | null {
  const name = `${topicPartition.topic}-${topicPartition.partition}.${uniqueId}${FUTURE_DIR_SUFFIX}`;
  return name.length > FILE_NAME_LIMIT ? null : name;
}

/** A folder of a log dir that does not bear a partition's name. */
export class ForeignDirectoryError extends Error {
  override readonly name = 'ForeignDirectoryError';
}

/**
 * The partition a folder belongs to, also when it is marked for deletion or as a future replica.
 *
 * @throws ForeignDirectoryError when the name has not that form
 */
export function partitionOfDir(dir: string): TopicPartition {
  const dirName = basename(dir);
  const marked = dirName.endsWith(DELETE_DIR_SUFFIX) || dirName.endsWith(FUTURE_DIR_SUFFIX);
  const name = marked ? dirName.slice(0, Math.max(0, dirName.lastIndexOf('.'))) : dirName;
  const dash = name.lastIndexOf('-');
  const digits = name.slice(dash + 1);
  if (dash <= 0 || !/^\d+$/.test(digits) || (marked && !MARKED_DIR.test(dirName))) {
    throw new ForeignDirectoryError(
      `Found directory ${dir}, '${dirName}' is not in the form of topic-partition or ` +
        `topic-partition.uniqueId-delete (if marked for deletion).\n` +
        `Kafka's log directories (and children) should only contain Kafka topic data.`,
    );
  }
  return { topic: name.slice(0, dash), partition: Number(digits) };
}
