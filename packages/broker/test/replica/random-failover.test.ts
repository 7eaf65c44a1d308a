import { describe, expect, it } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { ReplicaCluster } from './replica-cluster.ts';
import { TestController } from './test-controller.ts';

const steps = 150;
const topics = ['t', 'u'];
const sessionTimeoutMs = 6000;
/** More seeds by REPLICA_SEEDS=from-to. */
const [from = 1, to = 6] = (process.env['REPLICA_SEEDS'] ?? '').split('-').filter(Boolean).map(Number);

/** Kills, restarts, cuts, leader moves and produces at random; checks after every step, and in peace at the end. */
class Run {
  readonly cluster: ReplicaCluster;
  private readonly random: SeededRandom;
  private readonly controller: TestController;
  private readonly keys: string[] = [];
  /** What was acknowledged with acks=all: key → offset → value. */
  private readonly acknowledged = new Map<string, Map<number, string>>();
  /** What any replica has held below its high watermark: never to change. */
  private readonly committed = new Map<string, Map<number, string>>();
  private readonly dead = new Map<number, { noticed: boolean }>();
  private nextValue = 0;

  constructor(cluster: ReplicaCluster, seed: number) {
    this.cluster = cluster;
    this.random = new SeededRandom(seed);
    cluster.network.latencyMs = () => 1 + nextInt(this.random, this.random.next() < 0.1 ? 2000 : 20);
    this.controller = new TestController(cluster, this.random);
  }

  async start(): Promise<void> {
    for (const [index, topic] of topics.entries()) {
      const replicas = [1, 2, 3].map((id) => ((id + index - 1) % 3) + 1);
      const key = await this.cluster.createPartition(topic, replicas);
      this.keys.push(key);
      this.acknowledged.set(key, new Map());
      this.committed.set(key, new Map());
    }
  }

  async step(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.5) this.produce();
    else if (dice < 0.58) await this.kill();
    else if (dice < 0.68) await this.restart();
    else if (dice < 0.76) this.cluster.network.cut(...this.pair());
    else if (dice < 0.9) this.cluster.network.heal(...this.pair());
    else this.controller.moveLeader(this.pick(this.keys), 1 + nextInt(this.random, 3));
    await this.cluster.time.advance(nextInt(this.random, 1500));
    this.check();
  }

  async finish(): Promise<void> {
    this.cluster.network.healAll();
    for (const id of [...this.dead.keys()]) await this.revive(id);
    await this.cluster.until('every ISR is whole', () => this.isWhole(), 240_000, 100);
    await this.cluster.time.advance(2000);
    this.check();
    for (const key of this.keys) {
      const expected = this.cluster.values(1, key);
      for (const id of [2, 3]) expect(this.cluster.values(id, key)).toEqual(expected);
      for (const [offset, value] of this.acknowledged.get(key)!) expect(expected.get(offset)).toBe(value);
    }
  }

  get acknowledgedCount(): number {
    let count = 0;
    for (const values of this.acknowledged.values()) count += values.size;
    return count;
  }

  private produce(): void {
    const key = this.pick(this.keys);
    const leaders = this.cluster.liveIds.filter(
      (id) => this.cluster.broker(id).replicaManager.getPartition(key)?.isLeader,
    );
    if (leaders.length === 0) return;
    const count = 1 + nextInt(this.random, 3);
    const values = Array.from({ length: count }, () => `v${this.nextValue++}`);
    const acks = this.random.next() < 0.7 ? -1 : 1;
    const timeoutMs = 1000 + nextInt(this.random, 10_000);
    void this.cluster.produce(this.pick(leaders), key, values, acks, timeoutMs).then(({ errorCode, baseOffset }) => {
      if (acks !== -1 || errorCode !== 0) return;
      const acknowledged = this.acknowledged.get(key)!;
      for (const [index, value] of values.entries()) {
        expect(acknowledged.get(baseOffset + index) ?? value).toBe(value);
        acknowledged.set(baseOffset + index, value);
      }
    });
  }

  private async kill(): Promise<void> {
    if (this.cluster.liveIds.length === 0) return;
    const id = this.pick(this.cluster.liveIds);
    await this.cluster.crash(id);
    const death = { noticed: false };
    this.dead.set(id, death);
    this.cluster.time.schedule(nextInt(this.random, sessionTimeoutMs), () => {
      if (this.dead.get(id) === death) this.notice(id, death);
    });
  }

  private async restart(): Promise<void> {
    const dead = [...this.dead.keys()];
    if (dead.length > 0) await this.revive(this.pick(dead));
  }

  private async revive(id: number): Promise<void> {
    const death = this.dead.get(id);
    // A broker registers only when its old session has gone.
    if (death !== undefined) this.notice(id, death);
    this.dead.delete(id);
    await this.cluster.startBroker(id);
    this.controller.brokerJoined(id);
  }

  private notice(id: number, death: { noticed: boolean }): void {
    if (death.noticed) return;
    death.noticed = true;
    this.controller.brokerDied(id);
  }

  private check(): void {
    for (const key of this.keys) {
      const committed = this.committed.get(key)!;
      for (const id of this.cluster.liveIds) {
        for (const [offset, value] of this.cluster.values(id, key, 'high_watermark')) {
          const known = committed.get(offset);
          if (known === undefined) committed.set(offset, value);
          else if (known !== value) throw new Error(`${key}@${offset} was ${known}, is ${value} on broker ${id}`);
        }
      }
      for (const [offset, value] of this.acknowledged.get(key)!) {
        const known = committed.get(offset) ?? value;
        if (known !== value) throw new Error(`${key}@${offset} was acknowledged as ${value}, is ${known}`);
      }
    }
  }

  private isWhole(): boolean {
    return this.keys.every((key) => {
      const { isr, leader } = this.cluster.state(key);
      if (isr.length !== 3 || leader === -1) return false;
      const ends = [1, 2, 3].map((id) => this.cluster.broker(id).replicaManager.getLog(key)?.logEndOffset);
      return ends.every((end) => end === ends[0]);
    });
  }

  private pair(): [number, number] {
    const left = 1 + nextInt(this.random, 3);
    return [left, (left % 3) + 1];
  }

  private pick<T>(items: readonly T[]): T {
    return items[nextInt(this.random, items.length)]!;
  }
}

describe('brokers that die, return, lose their links and are led anew at random', () => {
  for (let seed = from; seed <= to; seed += 1) {
    it(`lose nothing acknowledged and never change what was committed (seed ${seed})`, async () => {
      const cluster = await new ReplicaCluster({ config: { replicaLagTimeMaxMs: 4000 } }).start();
      try {
        const run = new Run(cluster, seed);
        await run.start();
        for (let step = 0; step < steps; step += 1) await run.step();
        await run.finish();
        expect(run.acknowledgedCount).toBeGreaterThan(0);
      } finally {
        await cluster.stop();
      }
    }, 120_000);
  }
});
