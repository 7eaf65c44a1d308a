import { describe, expect, it, jest } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { BrokerIdZNode, TopicZNode } from '@klassic/zookeeper';
import { assignmentOf, assignReplicasToBrokers } from '../src/index.ts';
import { brokerInfo, ReplayCluster } from './replay-cluster.ts';

interface PartitionZNode {
  readonly leader: number;
  readonly leader_epoch: number;
  readonly isr: number[];
}

const brokerIds = [1, 2, 3, 4, 5];

/** Brokers that die, return and stop in order, topics that come and go, by a seed; after each step the invariants hold. */
class RandomCluster {
  readonly cluster = new ReplayCluster();
  readonly random: SeededRandom;
  private readonly alive = new Map<number, string>();
  private readonly topics = new Map<string, Map<number, number[]>>();
  private readonly epochs = new Map<string, number>();
  private sessions = 0;
  private created = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const paths = ['/brokers/ids', '/brokers/topics', '/admin/delete_topics', '/config/topics'];
    for (const path of [...paths, '/isr_change_notification', '/log_dir_event_notification'])
      this.cluster.zk.put(path, null);
  }

  async run(steps: number): Promise<void> {
    for (const id of brokerIds) await this.start(id);
    for (let step = 0; step < steps; step += 1) {
      await this.step();
      this.check();
    }
    for (const id of brokerIds) if (!this.alive.has(id)) await this.start(id);
    this.check();
    this.checkAllIsWell();
  }

  private async step(): Promise<void> {
    const id = brokerIds[nextInt(this.random, brokerIds.length)]!;
    const what = this.random.next();
    if (what < 0.25) await this.createTopic();
    else if (what < 0.35) await this.deleteTopic();
    else if (!this.alive.has(id)) await this.start(id);
    else if (this.alive.size > 1 && what < 0.7) await this.kill(id);
    else if (this.alive.size > 1) await this.stop(id);
  }

  private async start(id: number): Promise<void> {
    const session = `broker-${id}#${++this.sessions}`;
    const { zk } = this.cluster;
    const data = BrokerIdZNode.encode(brokerInfo(id), 0);
    zk.apply(session, [{ op: 'create', path: BrokerIdZNode.path(id), data, ephemeral: true }], false);
    this.alive.set(id, session);
    this.cluster.startBroker(id, session);
    await this.cluster.settle();
  }

  private async kill(id: number): Promise<void> {
    this.cluster.kill(id);
    await this.gone(id);
  }

  private async stop(id: number): Promise<void> {
    const controller = [...this.alive.keys()]
      .map((other) => this.cluster.controller(other))
      .find(({ isActive }) => isActive)!;
    await controller.controlledShutdown(id, this.cluster.controller(id).brokerEpoch);
    await this.cluster.settle();
    await this.cluster.controller(id).shutdown();
    this.cluster.kill(id);
    await this.gone(id);
  }

  private async gone(id: number): Promise<void> {
    this.cluster.zk.closeSession(this.alive.get(id)!);
    this.alive.delete(id);
    await this.cluster.settle();
  }

  private async createTopic(): Promise<void> {
    const topic = `topic${++this.created}`;
    const brokers = [...this.alive.keys()].sort().map((id) => ({ id, rack: null }));
    const factor = 1 + nextInt(this.random, Math.min(3, brokers.length));
    const assignment = assignReplicasToBrokers(brokers, 1 + nextInt(this.random, 4), factor, { random: this.random });
    const replicas = new Map([...assignment].map(([id, list]) => [id, assignmentOf(list)]));
    const path = TopicZNode.path(topic);
    this.cluster.zk.put(`/config/topics/${topic}`, Buffer.from('{"version":1,"config":{}}'));
    this.cluster.zk.apply('client', [{ op: 'create', path, data: TopicZNode.encode(null, replicas) }], false);
    this.topics.set(topic, assignment);
    await this.cluster.settle();
  }

  private async deleteTopic(): Promise<void> {
    const names = [...this.topics.keys()];
    if (names.length < 3) return;
    const topic = names[nextInt(this.random, names.length)]!;
    this.topics.delete(topic);
    this.cluster.zk.apply('client', [{ op: 'create', path: `/admin/delete_topics/${topic}`, data: null }], false);
    await this.cluster.settle();
  }

  private check(): void {
    const controllers = [...this.alive.keys()].filter((id) => this.cluster.controller(id).isActive);
    expect(controllers).toHaveLength(1);
    for (const [key, replicas, state] of this.states()) {
      expect(state.isr.length).toBeGreaterThan(0);
      expect(replicas).toEqual(expect.arrayContaining(state.isr));
      if (state.leader !== -1) expect(state.isr).toContain(state.leader);
      if (state.leader !== -1) expect([...this.alive.keys()]).toContain(state.leader);
      expect(state.leader_epoch).toBeGreaterThanOrEqual(this.epochs.get(key) ?? 0);
      this.epochs.set(key, state.leader_epoch);
      for (const id of replicas) if (this.alive.has(id)) this.checkTold(id, key, state);
    }
  }

  /** The last that a live replica heard of a partition is how it stands in ZooKeeper. */
  private checkTold(id: number, key: string, state: PartitionZNode): void {
    const epoch = this.cluster.controller(id).brokerEpoch;
    let told: unknown;
    for (const { to, api, request } of this.cluster.sent) {
      if (to !== id || api !== 'LeaderAndIsr' || request.brokerEpoch !== epoch) continue;
      for (const { topicName, partitionStates = [] } of request.topicStates ?? []) {
        const found = partitionStates.find(({ partitionIndex }) => `${topicName}-${partitionIndex}` === key);
        if (found !== undefined && 'isr' in found) told = [found.leader, found.leaderEpoch, found.isr];
      }
    }
    expect({ id, key, told }).toEqual({ id, key, told: [state.leader, state.leader_epoch, state.isr] });
  }

  /** With all brokers back every partition has a leader, and no deletion is left over. */
  private checkAllIsWell(): void {
    for (const [, , state] of this.states()) expect(state.leader).toBeGreaterThan(0);
    expect(this.cluster.zk.childrenOf('/admin/delete_topics')).toEqual([]);
    expect(this.cluster.zk.childrenOf('/brokers/topics').sort()).toEqual([...this.topics.keys()].sort());
  }

  private states(): [string, number[], PartitionZNode][] {
    return [...this.topics].flatMap(([topic, assignment]) =>
      [...assignment].map(([id, replicas]): [string, number[], PartitionZNode] => [
        `${topic}-${id}`,
        replicas,
        this.cluster.zk.json(`/brokers/topics/${topic}/partitions/${id}/state`) as PartitionZNode,
      ]),
    );
  }
}

jest.setTimeout(60_000);

describe('the invariants of the controller', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('hold for seed %d', async (seed) => {
    await new RandomCluster(seed).run(40);
  });
});
