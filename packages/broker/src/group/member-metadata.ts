import { invariant } from '@klassic/common';
import type { Cancel } from '@klassic/common';
import type { JoinGroupResult, MemberProtocol, MemberSummary, SyncGroupResult } from './messages.ts';
import { option } from './scala-text.ts';

const nothing = Buffer.alloc(0);

export interface MemberOptions {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  readonly assignment?: Buffer;
}

/** One member of a group, with the requests of its that wait. Counterpart of `kafka.coordinator.group.MemberMetadata`. */
export class MemberMetadata {
  /** Changes only when a static member comes back under a new id. */
  memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  /** In the member's order of preference. */
  protocols: readonly MemberProtocol[];
  assignment: Buffer;
  /** Answers the JoinGroup request that waits. Set by `GroupMetadata`, which counts them. */
  awaitingJoin: ((result: JoinGroupResult) => void) | undefined;
  /** Answers the SyncGroup request that waits. */
  awaitingSync: ((result: SyncGroupResult) => void) | undefined;
  /** Until its first join is answered: it cannot send heartbeats yet, so its join itself has a time limit. */
  isNew = false;
  /** Takes back the timer that would remove this member. */
  cancelExpiration: Cancel | undefined;

  constructor(options: MemberOptions) {
    this.memberId = options.memberId;
    this.groupInstanceId = options.groupInstanceId;
    this.clientId = options.clientId;
    this.clientHost = options.clientHost;
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs;
    this.sessionTimeoutMs = options.sessionTimeoutMs;
    this.protocolType = options.protocolType;
    this.protocols = options.protocols;
    this.assignment = options.assignment ?? nothing;
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null;
  }

  get isAwaitingJoin(): boolean {
    return this.awaitingJoin !== undefined;
  }

  /** A member whose request waits here is alive for as long as it waits. */
  get isHeldAlive(): boolean {
    return !this.isNew && (this.awaitingJoin !== undefined || this.awaitingSync !== undefined);
  }

  /** What the member tells the leader under a protocol that it supports. */
  metadata(protocolName: string): Buffer {
    const protocol = this.protocols.find(({ name }) => name === protocolName);
    invariant(protocol !== undefined, () => `member ${this.memberId} does not support protocol ${protocolName}`);
    return protocol.metadata;
  }

  /** Whether the member comes with the same protocols as before, bytes included. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const own = this.protocols[index]!;
        return own.name === name && own.metadata.equals(metadata);
      })
    );
  }

  /** The protocol it likes best among those that all members support. */
  vote(candidates: ReadonlySet<string>): string {
    const choice = this.protocols.find(({ name }) => candidates.has(name));
    invariant(choice !== undefined, () => `member ${this.memberId} supports none of the candidate protocols`);
    return choice.name;
  }

  /** @param protocolName null leaves metadata and assignment out: they mean something in a stable group only */
  summary(protocolName: string | null): MemberSummary {
    return {
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      metadata: protocolName === null ? nothing : this.metadata(protocolName),
      assignment: protocolName === null ? nothing : this.assignment,
    };
  }

  /** As the reference logs it. */
  toString(): string {
    return (
      `MemberMetadata(memberId=${this.memberId}, groupInstanceId=${option(this.groupInstanceId)}, ` +
      `clientId=${this.clientId}, clientHost=${this.clientHost}, sessionTimeoutMs=${this.sessionTimeoutMs}, ` +
      `rebalanceTimeoutMs=${this.rebalanceTimeoutMs}, ` +
      `supportedProtocols=List(${this.protocols.map(({ name }) => name).join(', ')}), )`
    );
  }
}
