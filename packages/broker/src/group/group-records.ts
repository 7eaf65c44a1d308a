import type { TopicPartition } from '@klassic/common';
import {
  decodeMessage,
  encodeVersionedMessage,
  GroupMetadataKey,
  GroupMetadataValue,
  MalformedMessageError,
  OffsetCommitKey,
  OffsetCommitValue,
  storedVersion,
} from '@klassic/protocol';
import type { GroupMetadataValueInit } from '@klassic/protocol';
import type { OffsetAndMetadata } from './messages.ts';

/** The topic that holds groups and committed offsets, compacted by these keys. */
export const groupMetadataTopic = '__consumer_offsets';

const offsetKeyVersion = 1;
const groupKeyVersion = 2;
/** What inter.broker.protocol.version 2.3 and above write. */
const groupValueVersion = 3;
const offsetValueVersion = 3;
/** The only version that has an expiry. */
const expiringOffsetValueVersion = 1;
const noExpiry = -1;

const versionBytes = 2;

/** What a record of the topic is about. */
export type StoredKey =
  | { readonly kind: 'offset'; readonly groupId: string; readonly target: TopicPartition }
  | { readonly kind: 'group'; readonly groupId: string };

export function offsetCommitKey(groupId: string, { topic, partition }: TopicPartition): Buffer {
  return encodeVersionedMessage(OffsetCommitKey, offsetKeyVersion, { group: groupId, topic, partition });
}

export function groupMetadataKey(groupId: string): Buffer {
  return encodeVersionedMessage(GroupMetadataKey, groupKeyVersion, { group: groupId });
}

/** An offset with its own expiry is stored as version 1 at every inter-broker protocol version. */
export function offsetCommitValue(committed: OffsetAndMetadata): Buffer {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = committed;
  if (expireTimestamp === undefined) {
    return encodeVersionedMessage(OffsetCommitValue, offsetValueVersion, {
      offset,
      leaderEpoch,
      metadata,
      commitTimestamp,
    });
  }
  const value = { offset, metadata, commitTimestamp, expireTimestamp };
  return encodeVersionedMessage(OffsetCommitValue, expiringOffsetValueVersion, value);
}

export function groupMetadataValue(value: GroupMetadataValueInit): Buffer {
  return encodeVersionedMessage(GroupMetadataValue, groupValueVersion, value);
}

/** @throws MalformedMessageError when the key is of no known kind */
export function readStoredKey(bytes: Buffer): StoredKey {
  const version = storedVersion(bytes);
  const body = bytes.subarray(versionBytes);
  if (version === 0 || version === offsetKeyVersion) {
    const { group, topic, partition } = decodeMessage(OffsetCommitKey, version, body);
    return { kind: 'offset', groupId: group, target: { topic, partition } };
  }
  if (version === groupKeyVersion) {
    return { kind: 'group', groupId: decodeMessage(GroupMetadataKey, version, body).group };
  }
  throw new MalformedMessageError(`Unknown group metadata message version: ${version}`);
}

/** @throws MalformedMessageError, UnsupportedVersionError */
export function readOffsetCommitValue(bytes: Buffer): OffsetAndMetadata {
  const value = decodeMessage(OffsetCommitValue, storedVersion(bytes), bytes.subarray(versionBytes));
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp } = value;
  return {
    offset,
    leaderEpoch,
    metadata,
    commitTimestamp,
    expireTimestamp: expireTimestamp === noExpiry ? undefined : expireTimestamp,
  };
}

/**
 * A group as it was stored. Version 0 knew no rebalance timeout: the session timeout stood for both.
 *
 * @throws MalformedMessageError, UnsupportedVersionError
 */
export function readGroupMetadataValue(bytes: Buffer): GroupMetadataValue {
  const version = storedVersion(bytes);
  const value = decodeMessage(GroupMetadataValue, version, bytes.subarray(versionBytes));
  if (version > 0) return value;
  return {
    ...value,
    members: value.members.map((member) => ({ ...member, rebalanceTimeout: member.sessionTimeout })),
  };
}
