import { topicPartitionHash, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { inHashMapOrder } from './hash-map-order.ts';
import { compareText } from './partition-assignor.ts';
import { PartitionMovements } from './partition-movements.ts';
import { NO_GENERATION } from './sticky-memory.ts';
import type { RememberingMember } from './sticky-memory.ts';

/**
 * The sticky assignment of members that read different topics: partitions stay where they were, free ones go to whoever
 * has least, and then single partitions are moved while that makes it more even (`AbstractStickyAssignor.generalAssign`).
 *
 * @param partitions all of them, by topic and partition
 */
export function generalAssignment(
  partitions: readonly TopicPartition[],
  members: readonly RememberingMember[],
): Map<string, TopicPartition[]> {
  return new GeneralAssignment(partitions, members).assign();
}

class GeneralAssignment {
  private readonly members: readonly RememberingMember[];
  /** Of each partition those that read its topic. Partitions are told apart by identity. */
  private readonly readers: Map<TopicPartition, string[]>;
  private readonly readable = new Map<string, Set<TopicPartition>>();
  private assignment = new Map<string, Set<TopicPartition>>();
  private readonly ownerOf = new Map<TopicPartition, string>();
  /** Who had a partition in the generation before the one that counts. */
  private readonly earlierOwnerOf = new Map<TopicPartition, string>();
  private readonly movements = new PartitionMovements();
  /** Those that take part in moving partitions about. */
  private movable: string[] = [];

  constructor(partitions: readonly TopicPartition[], members: readonly RememberingMember[]) {
    this.members = members;
    this.readers = new Map(partitions.map((target) => [target, []]));
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
    for (const { memberId, topics } of members) {
      const own = topics.flatMap((topic) => byTopic.get(topic) ?? []);
      this.readable.set(memberId, new Set(own));
      for (const target of own) this.readers.get(target)!.push(memberId);
    }
  }

  assign(): Map<string, TopicPartition[]> {
    const gaveUpTopic = this.restore();
    const sorted = [...this.readers.keys()].sort(
      (one, other) => this.readers.get(one)!.length - this.readers.get(other)!.length,
    );
    const kept = new Set([...this.assignment.values()].flatMap((own) => [...own]));
    const free = sorted.filter((target) => !kept.has(target));
    const isNew = kept.size === 0;
    for (const target of free) this.assignToIdlest(target);
    this.balance(sorted, free, isNew, gaveUpTopic);
    return new Map([...this.assignment].map(([member, own]) => [member, [...own]]));
  }

  /** Begins with what members remember. @returns whether someone has a partition whose topic it no longer reads */
  private restore(): boolean {
    const claims = this.claims();
    for (const { memberId } of this.members) this.assignment.set(memberId, new Set());
    let gaveUpTopic = false;
    for (const [target, byGeneration] of claims) {
      const [owner, earlier] = [...byGeneration].sort(([one], [other]) => other - one).map(([, member]) => member);
      if (earlier !== undefined) this.earlierOwnerOf.set(target, earlier);
      this.ownerOf.set(target, owner!);
      if (this.readable.get(owner!)!.has(target)) this.assignment.get(owner!)!.add(target);
      else gaveUpTopic = true;
    }
    return gaveUpTopic;
  }

  /** Of each partition that still exists who says to have had it, by generation. */
  private claims(): [TopicPartition, Map<number, string>][] {
    const byKey = new Map([...this.readers.keys()].map((target) => [keyOf(target), target]));
    const claims = new Map<TopicPartition, Map<number, string>>();
    for (const { memberId, memory } of this.members) {
      for (const remembered of memory.partitions) {
        const target = byKey.get(keyOf(remembered));
        if (target === undefined) continue;
        const byGeneration = claims.get(target) ?? new Map<number, string>();
        claims.set(target, byGeneration);
        const { generation } = memory;
        // Two of one generation: the first is believed. Without a generation it is the last.
        if (generation !== undefined && byGeneration.has(generation)) continue;
        byGeneration.set(generation ?? NO_GENERATION, memberId);
      }
    }
    return inHashMapOrder([...claims], ([{ topic, partition }]) => topicPartitionHash(topic, partition));
  }

  private assignToIdlest(target: TopicPartition): void {
    const [idlest] = this.readers.get(target)!.toSorted(this.byLoad);
    if (idlest === undefined) return;
    this.assignment.get(idlest)!.add(target);
    this.ownerOf.set(target, idlest);
  }

  private balance(sorted: TopicPartition[], free: TopicPartition[], isNew: boolean, gaveUpTopic: boolean): void {
    const isMovable = (target: TopicPartition): boolean => this.readers.get(target)!.length >= 2;
    this.movable = [...this.readable]
      .filter(([member, readable]) => {
        const own = this.assignment.get(member)!;
        return own.size < readable.size || [...own].some(isMovable);
      })
      .map(([member]) => member);
    if (this.movable.length === 0) return;
    const before = new Map([...this.assignment].map(([member, own]) => [member, new Set(own)]));
    if (!gaveUpTopic) this.moveWhileUneven(free.filter(isMovable));
    const moved = this.moveWhileUneven(sorted.filter(isMovable));
    // Moves that did not make it more even are not worth their price.
    if (!isNew && moved && this.unevenness(this.assignment) >= this.unevenness(before)) this.assignment = before;
  }

  /** @returns whether any partition was moved */
  private moveWhileUneven(candidates: readonly TopicPartition[]): boolean {
    let moved = false;
    for (let again = true; again;) {
      again = false;
      for (const target of candidates) {
        if (this.isBalanced()) break;
        const receiver = this.receiverOf(target);
        if (receiver === undefined) continue;
        this.move(target, receiver);
        again = true;
        moved = true;
      }
    }
    return moved;
  }

  /** Who should rather have the partition: its earlier owner, or the idlest of its readers. */
  private receiverOf(target: TopicPartition): string | undefined {
    const load = this.load(this.ownerOf.get(target)!);
    const isWorthwhile = (other: string): boolean => load > this.load(other) + 1;
    const earlier = this.earlierOwnerOf.get(target);
    if (earlier !== undefined && this.movable.includes(earlier) && isWorthwhile(earlier)) return earlier;
    if (!this.readers.get(target)!.some(isWorthwhile)) return undefined;
    return this.movable.filter((member) => this.readable.get(member)!.has(target)).toSorted(this.byLoad)[0];
  }

  private move(target: TopicPartition, receiver: string): void {
    const moved = this.movements.betterToMove(target, this.ownerOf.get(target)!, receiver);
    const owner = this.ownerOf.get(moved)!;
    this.movements.move(moved, owner, receiver);
    this.assignment.get(owner)!.delete(moved);
    this.assignment.get(receiver)!.add(moved);
    this.ownerOf.set(moved, receiver);
  }

  /** Whether nobody could be given a partition of somebody who has more. */
  private isBalanced(): boolean {
    const loads = this.movable.map((member) => this.load(member));
    if (Math.min(...loads) >= Math.max(...loads) - 1) return true;
    const holders = new Map<TopicPartition, string>();
    for (const member of this.movable) for (const target of this.assignment.get(member)!) holders.set(target, member);
    return this.movable.every((member) => {
      const own = this.assignment.get(member)!;
      const readable = this.readable.get(member)!;
      if (own.size === readable.size) return true;
      return [...readable].every((target) => {
        const holder = holders.get(target);
        return own.has(target) || holder === undefined || own.size >= this.load(holder);
      });
    });
  }

  /** The sum of the differences between any two members that take part. */
  private unevenness(assignment: ReadonlyMap<string, ReadonlySet<TopicPartition>>): number {
    const loads = this.movable.map((member) => assignment.get(member)!.size);
    let sum = 0;
    for (const [index, one] of loads.entries())
      for (const other of loads.slice(index + 1)) sum += Math.abs(one - other);
    return sum;
  }

  private load(member: string): number {
    return this.assignment.get(member)!.size;
  }

  private readonly byLoad = (one: string, other: string): number =>
    this.load(one) - this.load(other) || compareText(one, other);
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}
