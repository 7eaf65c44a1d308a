import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockTime, topicPartitionKey } from '@klassic/common';
import type { LoggerFactory } from '@klassic/common';
import { batchesOf, buildBatch } from '@klassic/protocol';
import type { RequestOf } from '@klassic/protocol';
import { TopicPartitionStateZNode } from '@klassic/zookeeper';
import type { IsrStore, Partition, PartitionResponse, ReplicaManagerConfig } from '../../src/replica/index.ts';
import { Network } from './network.ts';
import { TestBroker } from './test-broker.ts';

/** A partition as ZooKeeper holds it. */
export interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[];
  leader: number;
  leaderEpoch: number;
  isr: readonly number[];
  zkVersion: number;
}

export interface ReplicaClusterOptions {
  readonly brokers?: number;
  readonly config?: Partial<ReplicaManagerConfig>;
  readonly logDefaults?: Readonly<Record<string, string>>;
  /** Settings of every topic. */
  readonly topicConfigs?: Readonly<Record<string, string>>;
  readonly logDirsPerBroker?: number;
  /** Racks by broker id. */
  readonly racks?: Readonly<Record<number, string>>;
  readonly loggers?: (brokerId: number) => LoggerFactory;
}

/**
 * Several brokers' replication wings in one process and in virtual time, with real logs in a temporary folder. It plays
 * ZooKeeper (partition states with versions) and the controller (elections, LeaderAndIsr, UpdateMetadata).
 */
export class ReplicaCluster {
  readonly time = new MockTime();
  readonly network = new Network(this.time);
  readonly states = new Map<string, PartitionState>();
  /** Partitions told by ISR change notifications, oldest first. */
  readonly notified: string[][] = [];
  readonly controllerEpoch = 1;
  /**
   * How ZooKeeper answers ISR writes: how many ms pass before it carries one out and after that, how many of the next ones
   * it carries out but does not answer, and how many notifications it refuses.
   */
  readonly zooKeeper = { answersAfterMs: 2, answersLateMs: 0, lostAnswers: 0, refusedNotifications: 0 };
  private readonly options: ReplicaClusterOptions;
  private readonly folder = mkdtempSync(join(tmpdir(), 'klassic-replica-'));
  private readonly alive = new Map<number, TestBroker>();

  constructor(options: ReplicaClusterOptions = {}) {
    this.options = options;
  }

  async start(): Promise<this> {
    for (let id = 1; id <= (this.options.brokers ?? 3); id += 1) await this.startBroker(id);
    return this;
  }

  async stop(): Promise<void> {
    for (const broker of this.alive.values()) await broker.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get liveIds(): number[] {
    return [...this.alive.keys()].sort((left, right) => left - right);
  }

  broker(id: number): TestBroker {
    const broker = this.alive.get(id);
    if (broker === undefined) throw new Error(`broker ${id} is down`);
    return broker;
  }

  partition(id: number, key: string): Partition {
    const partition = this.broker(id).replicaManager.getPartition(key);
    if (partition === undefined) throw new Error(`broker ${id} does not host ${key}`);
    return partition;
  }

  state(key: string): PartitionState {
    const state = this.states.get(key);
    if (state === undefined) throw new Error(`no partition ${key}`);
    return state;
  }

  /** Starts a broker, telling it and the others, but electing nobody: see `announce` and `elect`. */
  async startBroker(id: number): Promise<TestBroker> {
    const broker = new TestBroker({
      id,
      logDirs: this.logDirs(id),
      time: this.time,
      network: this.network,
      isrStore: this.isrStore(),
      ...(this.options.config === undefined ? {} : { config: this.options.config }),
      ...(this.options.topicConfigs === undefined ? {} : { topicConfigs: this.options.topicConfigs }),
      ...(this.options.logDefaults === undefined ? {} : { logDefaults: this.options.logDefaults }),
      ...(this.options.loggers === undefined ? {} : { loggers: this.options.loggers(id) }),
    });
    await broker.start();
    this.alive.set(id, broker);
    return broker;
  }

  /** A broker's log dirs: one, named by its id, or several, `1-0`, `1-1`. */
  logDirs(id: number): string[] {
    const count = this.options.logDirsPerBroker ?? 1;
    const names = count === 1 ? [String(id)] : Array.from({ length: count }, (_, index) => `${id}-${index}`);
    return names.map((name) => join(this.folder, name));
  }

  /** kill -9, without the controller noticing: see `electWithout`. */
  async crash(id: number): Promise<void> {
    const broker = this.broker(id);
    this.alive.delete(id);
    await broker.crash();
  }

  /** Makes a partition, led by the first replica, and tells everybody. */
  async createPartition(topic: string, replicas: readonly number[], partition = 0): Promise<string> {
    const key = topicPartitionKey(topic, partition);
    const leader = replicas[0]!;
    this.states.set(key, { topic, partition, replicas, leader, leaderEpoch: 0, isr: replicas, zkVersion: 0 });
    await this.announce([key], true);
    return key;
  }

  /** Writes a new leader and ISR and tells everybody that is not in `deaf`. */
  async elect(key: string, leader: number, isr: readonly number[], deaf: readonly number[] = []): Promise<void> {
    this.write(key, leader, isr);
    await this.announce([key], false, deaf);
  }

  /** Writes a new leader and ISR under the next leader epoch. */
  write(key: string, leader: number, isr: readonly number[]): void {
    const state = this.state(key);
    this.states.set(key, { ...state, leader, isr, leaderEpoch: state.leaderEpoch + 1, zkVersion: state.zkVersion + 1 });
  }

  /** Sends UpdateMetadata and LeaderAndIsr for the partitions as they stand. */
  async announce(keys: readonly string[], isNew = false, deaf: readonly number[] = []): Promise<void> {
    for (const id of this.liveIds) {
      if (deaf.includes(id)) continue;
      await this.updateMetadata(id, keys);
      await this.leaderAndIsr(id, keys, isNew);
    }
  }

  updateMetadata(id: number, keys: readonly string[]): Promise<void> {
    return this.broker(id).updateMetadata(this.metadataRequest(keys.map((key) => this.state(key))));
  }

  /** Sends LeaderAndIsr for those of the partitions that the broker is a replica of. Returns its errors by partition. */
  async leaderAndIsr(id: number, keys: readonly string[], isNew = false): Promise<Map<string, number>> {
    const own = keys.map((key) => this.state(key)).filter(({ replicas }) => replicas.includes(id));
    const errors = new Map<string, number>();
    if (own.length === 0) return errors;
    const response = await this.broker(id).leaderAndIsr(this.leaderAndIsrRequest(own, isNew));
    for (const { topicName, partitionIndex, errorCode } of response.partitionErrors ?? []) {
      errors.set(topicPartitionKey(topicName ?? '', partitionIndex ?? 0), errorCode ?? 0);
    }
    return errors;
  }

  /** Produces one batch to a broker, whether it leads or not. */
  async produce(
    id: number,
    key: string,
    values: readonly string[],
    requiredAcks = -1,
    timeoutMs = 30_000,
  ): Promise<PartitionResponse> {
    const { topic, partition } = this.state(key);
    const timestamp = this.time.milliseconds();
    const records = buildBatch({
      records: values.map((value) => ({ timestamp, key: null, value: Buffer.from(value) })),
    });
    const responses = await this.broker(id).replicaManager.appendRecords({
      timeoutMs,
      requiredAcks,
      internalTopicsAllowed: false,
      origin: 'Client',
      entries: new Map([[key, { topic, partition, records }]]),
    });
    return responses.get(key)!;
  }

  /** The values in a broker's log by offset, to its end or to the high watermark. */
  values(id: number, key: string, upTo: 'log_end' | 'high_watermark' = 'log_end'): Map<number, string> {
    const log = this.broker(id).replicaManager.getLog(key);
    const values = new Map<number, string>();
    if (log === undefined) return values;
    const end = upTo === 'log_end' ? log.logEndOffset : log.highWatermark;
    let offset = log.logStartOffset;
    while (offset < end) {
      const { records } = log.read(offset, 1 << 20, 'log_end', true);
      let next = offset;
      for (const batch of batchesOf(records)) {
        for (const record of batch.records()) {
          if (record.offset >= offset && record.offset < end) {
            values.set(record.offset, record.value?.toString('utf8') ?? '');
          }
        }
        next = batch.nextOffset;
      }
      if (next === offset) break;
      offset = next;
    }
    return values;
  }

  /** Lets virtual time go on until the condition holds. @throws Error after `limitMs` */
  async until(what: string, condition: () => boolean, limitMs = 60_000, stepMs = 5): Promise<void> {
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += stepMs) {
      if (condition()) return;
      await this.time.advance(stepMs);
    }
    throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
  }

  /** Waits for a promise while virtual time goes on. */
  async settle<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let done = false;
    const marked = promise.finally(() => (done = true));
    await this.until('a promise settles', () => done, limitMs);
    return marked;
  }

  private isrStore(): IsrStore {
    return {
      conditionalUpdatePath: async (path, data, expectedVersion, checker) => {
        await this.pause(this.zooKeeper.answersAfterMs);
        const state = this.stateAt(path);
        if (state.zkVersion !== expectedVersion) {
          return (await checker?.(path, data)) ?? { succeeded: false, version: -1 };
        }
        const written = JSON.parse(data.toString('utf8')) as { leader: number; leader_epoch: number; isr: number[] };
        const version = expectedVersion + 1;
        const { leader, leader_epoch: leaderEpoch, isr } = written;
        const key = topicPartitionKey(state.topic, state.partition);
        this.states.set(key, { ...state, leader, leaderEpoch, isr, zkVersion: version });
        if (this.zooKeeper.lostAnswers > 0) {
          this.zooKeeper.lostAnswers -= 1;
          throw new Error('the session expired');
        }
        if (this.zooKeeper.answersLateMs > 0) await this.pause(this.zooKeeper.answersLateMs);
        return { succeeded: true, version };
      },
      getDataAndVersion: (path) => {
        const { leader, leaderEpoch, isr, zkVersion } = this.stateAt(path);
        const leaderAndIsr = { leader, leaderEpoch, isr, zkVersion };
        const data = TopicPartitionStateZNode.encode({ leaderAndIsr, controllerEpoch: this.controllerEpoch });
        return Promise.resolve({ data, version: zkVersion });
      },
      propagateIsrChanges: async (partitions) => {
        await this.pause(this.zooKeeper.answersAfterMs);
        if (this.zooKeeper.refusedNotifications > 0) {
          this.zooKeeper.refusedNotifications -= 1;
          throw new Error('the session expired');
        }
        this.notified.push(partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
      },
    };
  }

  private stateAt(path: string): PartitionState {
    const state = [...this.states.values()].find((candidate) => TopicPartitionStateZNode.path(candidate) === path);
    if (state === undefined) throw new Error(`no znode ${path}`);
    return state;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.time.schedule(ms, resolve);
    });
  }

  /** LeaderAndIsr as a controller makes it for these states. */
  leaderAndIsrRequest(states: readonly PartitionState[], isNew: boolean): RequestOf<'LeaderAndIsr'> {
    const topicStates = states.map((state) => ({
      topicName: state.topic,
      partitionStates: [
        { ...this.wireState(state), replicas: [...state.replicas], addingReplicas: [], removingReplicas: [], isNew },
      ],
    }));
    return {
      ...this.header(),
      topicStates,
      ungroupedPartitionStates: [],
      liveLeaders: [],
    } as unknown as RequestOf<'LeaderAndIsr'>;
  }

  /** UpdateMetadata as a controller makes it for these states and live brokers. */
  metadataRequest(
    states: readonly PartitionState[],
    liveIds: readonly number[] = this.liveIds,
  ): RequestOf<'UpdateMetadata'> {
    const topicStates = states.map((state) => ({
      topicName: state.topic,
      partitionStates: [{ ...this.wireState(state), replicas: [...state.replicas], offlineReplicas: [] }],
    }));
    const liveBrokers = liveIds.map((id) => ({
      id,
      rack: this.options.racks?.[id] ?? null,
      endpoints: [{ host: '127.0.0.1', port: 9090 + id, listener: 'PLAINTEXT', securityProtocol: 0 }],
    }));
    return {
      ...this.header(),
      topicStates,
      ungroupedPartitionStates: [],
      liveBrokers,
    } as unknown as RequestOf<'UpdateMetadata'>;
  }

  private header(): { controllerId: number; controllerEpoch: number; brokerEpoch: number } {
    return { controllerId: 1, controllerEpoch: this.controllerEpoch, brokerEpoch: -1 };
  }

  private wireState(state: PartitionState): object {
    const { topic, partition, leader, leaderEpoch, isr, zkVersion } = state;
    return {
      topicName: topic,
      partitionIndex: partition,
      controllerEpoch: this.controllerEpoch,
      leader,
      leaderEpoch,
      isr: [...isr],
      zkVersion,
    };
  }
}
