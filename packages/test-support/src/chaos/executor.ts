import { Admin } from '@klassic/client';
import { eventually, messageOf, sleep } from '@klassic/lab';
import type { TestBroker } from '../broker.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import type { ChaosObserver } from './observer.ts';
import type { Fault, Step } from './plan.ts';

/** Of this many brokers at once something may be wrong, so that faults meet and yet something goes on. */
const mostSuffering = 2;
const replicationFactor = 3;

export interface ExecutorOptions {
  readonly cluster: ChaosCluster;
  readonly observer: ChaosObserver;
  readonly topic: string;
  readonly partitions: number;
  readonly say: (line: string) => void;
}

/** Carries a plan out, and mends everything at its end. */
export class Executor {
  /** How often each fault happened. */
  readonly counts = new Map<Fault, number>();
  private readonly options: ExecutorOptions;
  private readonly suffering = new Map<number, Promise<void>>();
  private readonly startedAt = performance.now();
  private failure: unknown;

  constructor(options: ExecutorOptions) {
    this.options = options;
  }

  /** @throws Error when a broker does not come back */
  async carryOut(plan: readonly Step[]): Promise<void> {
    for (const step of plan) {
      await sleep(Math.max(0, step.atMs - (performance.now() - this.startedAt)));
      if (step.fault === 'elect-preferred' || step.fault === 'reassign') await this.moveLeaders(step);
      else await this.hit(step, step.fault);
      if (this.failure !== undefined) break;
    }
    await Promise.all(this.suffering.values());
    if (this.failure !== undefined) throw this.failure as Error;
  }

  private async hit(step: Step, fault: Exclude<Fault, 'elect-preferred' | 'reassign'>): Promise<void> {
    while (this.suffering.size >= mostSuffering) await Promise.race(this.suffering.values());
    const candidates = this.candidates(step);
    const broker = candidates[Math.floor(step.pick * candidates.length)]!;
    this.tell(step, `${fault} broker ${broker.id} (${this.rolesOf(broker.id)}) for ${step.forMs} ms`);
    const done = this.suffer(broker, fault, step.forMs)
      .catch((error: unknown) => {
        this.failure ??= new Error(`broker ${broker.id} after ${fault}: ${messageOf(error)}`);
      })
      .finally(() => this.suffering.delete(broker.id));
    this.suffering.set(broker.id, done);
  }

  private async suffer(
    broker: TestBroker,
    fault: Exclude<Fault, 'elect-preferred' | 'reassign'>,
    forMs: number,
  ): Promise<void> {
    const { cluster } = this.options;
    switch (fault) {
      case 'kill':
        await broker.kill();
        await sleep(forMs);
        await broker.startAgain();
        break;
      case 'terminate':
        // With other faults about a controlled shutdown may not succeed: then it ends like a killed one.
        await broker.stop(30_000);
        await sleep(forMs);
        await broker.startAgain();
        break;
      case 'pause':
        broker.pause();
        await sleep(forMs);
        broker.resume();
        break;
      case 'cut-from-brokers':
        cluster.fromBrokers(broker.id).cut();
        await sleep(forMs);
        cluster.fromBrokers(broker.id).heal();
        break;
      case 'silence-from-brokers':
        cluster.fromBrokers(broker.id).pause();
        await sleep(forMs);
        cluster.fromBrokers(broker.id).heal();
        break;
      case 'cut-from-zookeeper':
        cluster.toZooKeeper(broker.id).cut();
        await sleep(forMs);
        cluster.toZooKeeper(broker.id).heal();
        break;
      case 'silence-from-zookeeper':
        cluster.toZooKeeper(broker.id).pause();
        await sleep(forMs);
        cluster.toZooKeeper(broker.id).heal();
        break;
    }
  }

  /** What a cluster in trouble refuses is left: the next step comes. */
  private async moveLeaders(step: Step): Promise<void> {
    const { cluster, topic, partitions } = this.options;
    const partition = Math.floor(step.pick * partitions);
    const bootstrapServers = [...cluster.bootstrapServers];
    const admin = new Admin({ bootstrapServers, requestTimeoutMs: 3_000, defaultApiTimeoutMs: 3_000 });
    try {
      if (step.fault === 'elect-preferred') {
        this.tell(step, 'elect preferred leaders');
        await admin.electLeaders('preferred');
      } else {
        const ids = cluster.brokers.map(({ id }) => id);
        const first = Math.floor(step.pick * 1_000) % ids.length;
        const replicas = [...ids.slice(first), ...ids.slice(0, first)].slice(0, replicationFactor);
        this.tell(step, `reassign partition ${partition} to [${replicas.join()}]`);
        await admin.alterPartitionReassignments([{ topic, partition, replicas }]);
      }
      this.count(step.fault);
    } catch (error) {
      this.options.say(`  … refused: ${messageOf(error)}`);
    } finally {
      admin.close();
    }
  }

  private candidates({ role, pick }: Step): TestBroker[] {
    const { cluster, observer, partitions } = this.options;
    const well = cluster.brokers.filter(({ id }) => !this.suffering.has(id));
    const leader = observer.states.get(Math.floor(pick * partitions))?.leader;
    const wanted = role === 'controller' ? observer.controller : role === 'leader' ? leader : undefined;
    const found = well.filter(({ id }) => id === wanted);
    return found.length > 0 ? found : well;
  }

  private rolesOf(id: number): string {
    const { observer } = this.options;
    const led = [...observer.states].filter(([, { leader }]) => leader === id).map(([partition]) => partition);
    return `${observer.controller === id ? 'controller, ' : ''}leads ${led.length > 0 ? led.join() : 'nothing'}`;
  }

  private tell(step: Step, what: string): void {
    if (step.fault !== 'elect-preferred' && step.fault !== 'reassign') this.count(step.fault);
    this.options.say(`${((performance.now() - this.startedAt) / 1_000).toFixed(1).padStart(7)} s  ${what}`);
  }

  private count(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }
}

/** Waits until every broker is registered and every partition has a leader and all its replicas in sync, and no reassignment is left. */
export async function waitUntilWhole(
  { cluster, topic, partitions }: Pick<ExecutorOptions, 'cluster' | 'topic' | 'partitions'>,
  timeoutMs: number,
): Promise<Map<number, readonly number[]>> {
  const replicasOf = async (): Promise<Map<number, readonly number[]> | false> => {
    const bootstrapServers = [...cluster.bootstrapServers];
    const admin = new Admin({ bootstrapServers, requestTimeoutMs: 3_000, defaultApiTimeoutMs: 3_000 });
    try {
      const reassignments = await admin.listPartitionReassignments();
      const [info] = await admin.describeTopics([topic]);
      const unwell = (info?.partitions ?? []).filter(
        ({ leader, isr, replicas }) => leader < 0 || isr.length !== replicas.length,
      );
      if (info?.partitions.length !== partitions || reassignments.size > 0 || unwell.length > 0) {
        const told = unwell.map(({ partition, leader, isr }) => `${partition} led by ${leader}, ISR ${isr.join()}`);
        throw new Error([...told, ...[...reassignments.keys()].map((key) => `${key} is being reassigned`)].join('; '));
      }
      return new Map(info.partitions.map(({ partition, replicas }) => [partition, replicas]));
    } finally {
      admin.close();
    }
  };
  return await eventually(replicasOf, { timeoutMs, intervalMs: 200, what: 'all partitions led and fully in sync' });
}
