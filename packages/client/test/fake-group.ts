import { Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { Handlers } from './fake-broker.ts';

type Join = RequestOf<'JoinGroup'>;

interface Member {
  readonly id: string;
  protocols: Join['protocols'];
  answerJoin: ((answer: ResponseInit<'JoinGroup'>) => void) | undefined;
  answerSync: ((answer: ResponseInit<'SyncGroup'>) => void) | undefined;
}

/** One group's coordinator, just enough of it for consumers to rebalance with one another; broker 0 answers for it. */
export class FakeGroup {
  generationId = 0;
  readonly committed = new Map<number, number>();
  /** What each generation agreed on. */
  readonly protocolNames: string[] = [];
  private readonly members = new Map<string, Member>();
  private nextId = 1;
  private rebalancing = false;
  private assignment: { readonly generationId: number; readonly byMember: Map<string, Buffer> } | undefined;

  /** Member ids in the order of joining. */
  get memberIds(): string[] {
    return [...this.members.keys()];
  }

  /** A member that never joins again holds every rebalance up, until it is forgotten. */
  addSilentMember(memberId: string): void {
    this.members.set(memberId, { id: memberId, protocols: [], answerJoin: undefined, answerSync: undefined });
    this.rebalancing = true;
  }

  /** As if the session of the member were over. */
  forget(memberId: string): void {
    this.members.delete(memberId);
    this.rebalancing = this.members.size > 0;
    this.maybeComplete();
  }

  get handlers(): Handlers {
    return {
      FindCoordinator: (_body, { cluster }) => ({ nodeId: 0, host: '127.0.0.1', port: cluster.brokers[0]!.port }),
      JoinGroup: (body) => this.join(body),
      SyncGroup: (body) => this.sync(body),
      Heartbeat: ({ memberId, generationId }) => ({ errorCode: this.check(memberId, generationId) }),
      LeaveGroup: ({ members }) => {
        for (const { memberId } of members) this.forget(memberId);
        return {};
      },
      OffsetFetch: ({ topics }) => ({
        topics: topics!.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({
            partitionIndex,
            committedOffset: this.committed.get(partitionIndex) ?? -1,
          })),
        })),
      }),
      OffsetCommit: ({ topics, memberId }) => {
        const errorCode = this.members.has(memberId) ? 0 : Errors.UNKNOWN_MEMBER_ID.code;
        for (const { partitions } of errorCode === 0 ? topics : []) {
          for (const { partitionIndex, committedOffset } of partitions)
            this.committed.set(partitionIndex, committedOffset);
        }
        return {
          topics: topics.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
          })),
        };
      },
    };
  }

  private join({ memberId, protocols }: Join): Promise<ResponseInit<'JoinGroup'>> {
    if (memberId === '') {
      const id = `m-${this.nextId}`;
      this.nextId += 1;
      return Promise.resolve({ errorCode: Errors.MEMBER_ID_REQUIRED.code, memberId: id });
    }
    const number = Number(memberId.slice(2));
    const isKnown = this.members.has(memberId) || number === this.nextId - 1;
    if (!isKnown) return Promise.resolve({ errorCode: Errors.UNKNOWN_MEMBER_ID.code, memberId });
    const member = this.members.get(memberId) ?? {
      id: memberId,
      protocols,
      answerJoin: undefined,
      answerSync: undefined,
    };
    this.members.set(memberId, member);
    member.protocols = protocols;
    this.rebalancing = true;
    return new Promise((resolve) => {
      member.answerJoin = resolve;
      this.maybeComplete();
    });
  }

  private maybeComplete(): void {
    const all = [...this.members.values()];
    if (!this.rebalancing || all.some(({ answerJoin }) => answerJoin === undefined)) return;
    this.rebalancing = false;
    this.generationId += 1;
    const [leader] = all;
    if (leader === undefined) return;
    const chosen = leader.protocols.find(({ name }) =>
      all.every(({ protocols }) => protocols.some((protocol) => protocol.name === name)),
    )!.name;
    this.protocolNames.push(chosen);
    for (const member of all) {
      const members = all.map(({ id, protocols }) => ({
        memberId: id,
        metadata: protocols.find(({ name }) => name === chosen)!.metadata,
      }));
      member.answerJoin!({
        generationId: this.generationId,
        protocolName: chosen,
        leader: leader.id,
        memberId: member.id,
        members: member === leader ? members : [],
      });
      member.answerJoin = undefined;
    }
  }

  private sync({ memberId, generationId, assignments }: RequestOf<'SyncGroup'>): Promise<ResponseInit<'SyncGroup'>> {
    const errorCode = this.check(memberId, generationId);
    if (errorCode !== 0) return Promise.resolve({ errorCode });
    return new Promise((resolve) => {
      this.members.get(memberId)!.answerSync = resolve;
      const leader = [...this.members.values()][0]!;
      if (memberId !== leader.id) {
        if (this.assignment !== undefined && this.assignment.generationId === generationId) this.answerSyncs();
        return;
      }
      this.assignment = { generationId, byMember: new Map(assignments.map((one) => [one.memberId, one.assignment])) };
      this.answerSyncs();
    });
  }

  private answerSyncs(): void {
    for (const member of this.members.values()) {
      member.answerSync?.({ assignment: this.assignment!.byMember.get(member.id) ?? Buffer.alloc(0) });
      member.answerSync = undefined;
    }
  }

  private check(memberId: string, generationId: number): number {
    if (!this.members.has(memberId)) return Errors.UNKNOWN_MEMBER_ID.code;
    if (generationId !== this.generationId) return Errors.ILLEGAL_GENERATION.code;
    return this.rebalancing ? Errors.REBALANCE_IN_PROGRESS.code : 0;
  }
}
