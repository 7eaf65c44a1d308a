import { nextInt } from '@klassic/common';
import type { Random } from '@klassic/common';
import type { PartitionState, ReplicaCluster } from './replica-cluster.ts';

/** How late the controller's requests may come, ms: brokers act on old knowledge until then. */
const maxDelayMs = 3000;

/**
 * Decides as Kafka's controller does (leaders from the ISR alone, the dead out of the ISR, a new epoch for each change),
 * and tells each broker in order, but late.
 */
export class TestController {
  private readonly cluster: ReplicaCluster;
  private readonly random: Random;
  private readonly live: Set<number>;
  /** Each broker's life and when its last request arrives, ms. */
  private readonly lives = new Map<number, { life: number; lastMs: number }>();

  constructor(cluster: ReplicaCluster, random: Random) {
    this.cluster = cluster;
    this.random = random;
    this.live = new Set(cluster.liveIds);
  }

  /** The session has expired: partitions it led first, then those it followed. */
  brokerDied(id: number): void {
    this.live.delete(id);
    this.lives.delete(id);
    const led: string[] = [];
    const followed: string[] = [];
    for (const [key, state] of this.cluster.states) {
      if (state.leader === id) led.push(key);
      else if (state.isr.includes(id) && state.isr.length > 1) followed.push(key);
    }
    for (const key of led) this.electLeader(key);
    for (const key of followed) {
      const state = this.cluster.state(key);
      this.cluster.write(
        key,
        state.leader,
        state.isr.filter((member) => member !== id),
      );
    }
    this.tellAll([...led, ...followed]);
  }

  brokerJoined(id: number): void {
    this.live.add(id);
    this.lives.delete(id);
    this.tellAll([]);
    this.tell(id, [...this.cluster.states.keys()]);
    const leaderless = [...this.cluster.states].filter(([, { leader }]) => leader === -1).map(([key]) => key);
    for (const key of leaderless) this.electLeader(key);
    this.tellAll(leaderless);
  }

  /** A preferred election, say: the leader moves while the old one lives. */
  moveLeader(key: string, to: number): void {
    const { leader, isr } = this.cluster.state(key);
    if (leader === to || !this.live.has(to) || !isr.includes(to)) return;
    this.cluster.write(
      key,
      to,
      isr.filter((id) => this.live.has(id)),
    );
    this.tellAll([key]);
  }

  private electLeader(key: string): void {
    const { replicas, isr } = this.cluster.state(key);
    const leader = replicas.find((id) => isr.includes(id) && this.live.has(id));
    if (leader === undefined) this.cluster.write(key, -1, isr);
    else
      this.cluster.write(
        key,
        leader,
        isr.filter((id) => this.live.has(id)),
      );
  }

  private tellAll(keys: readonly string[]): void {
    for (const id of this.live) this.tell(id, keys);
  }

  /** Sends what stands now; it arrives in order, later, and only in the broker's present life. */
  private tell(id: number, keys: readonly string[]): void {
    const { time } = this.cluster;
    const states = keys.map((key) => this.cluster.state(key));
    const own = states.filter(({ replicas }: PartitionState) => replicas.includes(id));
    const metadata = this.cluster.metadataRequest(states, [...this.live]);
    const leaderAndIsr = this.cluster.leaderAndIsrRequest(own, false);
    const known = this.lives.get(id) ?? { life: nextInt(this.random, 1 << 30), lastMs: 0 };
    const arrivesMs = Math.max(known.lastMs, time.milliseconds() + nextInt(this.random, maxDelayMs));
    this.lives.set(id, { ...known, lastMs: arrivesMs });
    time.schedule(arrivesMs - time.milliseconds(), () => {
      if (this.lives.get(id)?.life !== known.life || !this.cluster.liveIds.includes(id)) return;
      void this.cluster.broker(id).updateMetadata(metadata);
      if (own.length > 0) void this.cluster.broker(id).leaderAndIsr(leaderAndIsr);
    });
  }
}
