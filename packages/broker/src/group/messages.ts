import type { TopicPartition } from '@klassic/common';
import type { ErrorEntry } from '@klassic/protocol';

/** A protocol that a member supports, with what it tells the leader under it. */
export interface MemberProtocol {
  readonly name: string;
  /** Opaque to the coordinator: a subscription, for consumers. */
  readonly metadata: Buffer;
}

export interface JoinGroupParameters {
  readonly groupId: string;
  /** Empty for a member that has none yet. */
  readonly memberId: string;
  /** `group.instance.id` of a static member (KIP-345). */
  readonly groupInstanceId: string | null;
  /** Whether a new member is first given its id and asked to come again (KIP-394). */
  readonly requireKnownMemberId: boolean;
  readonly clientId: string;
  /** With a leading slash, as the reference stores it: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[];
}

export interface JoinGroupResult {
  readonly error: ErrorEntry;
  readonly memberId: string;
  /** -1 with an error. */
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** Member id of the leader. */
  readonly leaderId: string;
  /** For the leader alone: all members with their metadata under the protocol chosen. */
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly metadata: Buffer;
  }[];
}

export interface SyncGroupParameters {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** null before version 5 of the API. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** From the leader, by member id; empty from the others. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

export interface SyncGroupResult {
  readonly error: ErrorEntry;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export interface LeavingMember {
  /** Empty when only the instance id is known. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface LeaveGroupResult {
  readonly error: ErrorEntry;
  readonly members: readonly (LeavingMember & { readonly error: ErrorEntry })[];
}

/** A committed offset. Counterpart of `kafka.common.OffsetAndMetadata`. */
export interface OffsetAndMetadata {
  readonly offset: number;
  /** -1 when the committer did not tell it. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** ms since 1970 */
  readonly commitTimestamp: number;
  /** ms since 1970, where the commit bears an expiry of its own (OffsetCommit versions 2 to 4). */
  readonly expireTimestamp: number | undefined;
}

/** An offset commit: which offsets, by `topicPartitionKey`. */
export type OffsetsToCommit = ReadonlyMap<
  string,
  { readonly target: TopicPartition; readonly offset: OffsetAndMetadata }
>;

export interface FetchedOffset extends TopicPartition {
  readonly error: ErrorEntry;
  /** -1 when there is none. */
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
}

export interface FetchOffsetsResult {
  readonly error: ErrorEntry;
  readonly offsets: readonly FetchedOffset[];
}

export interface DeleteOffsetsResult {
  /** Of the group as a whole; with it there are no partitions. */
  readonly error: ErrorEntry;
  /** By `topicPartitionKey`. */
  readonly partitions: ReadonlyMap<string, ErrorEntry>;
}

export interface GroupOverview {
  readonly groupId: string;
  readonly protocolType: string;
  readonly state: string;
}

export interface MemberSummary {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly metadata: Buffer;
  readonly assignment: Buffer;
}

export interface GroupSummary {
  readonly state: string;
  readonly protocolType: string;
  /** The protocol chosen; empty unless the group is stable. */
  readonly protocol: string;
  readonly members: readonly MemberSummary[];
}
