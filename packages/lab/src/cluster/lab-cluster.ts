import { messageOf, LabError } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';
import { eventually } from '../eventually.ts';
import { Observer } from '../observe/observer.ts';
import type { ProcessState } from '../process/process-identity.ts';
import { readController, readZooKeeper } from './cluster-status.ts';
import type { BrokerState, ClusterStatus } from './cluster-status.ts';
import { loadState, saveState } from './lab-state.ts';
import type { LabState, SavedBroker } from './lab-state.ts';
import { brokersOf } from './parts.ts';
import type { LabBroker } from './parts.ts';
import { startBroker, startCluster } from './start-cluster.ts';
import { stopCluster, wipeCluster } from './stop-cluster.ts';
import type { UpOptions } from './up-options.ts';

/** How long brokers may take for a controlled shutdown before they are killed, in milliseconds. */
const graceMs = 30_000;

/** The cluster of a lab: what each command of scripts/lab does. Every refusal is a `LabError` of one line. */
export class LabCluster {
  readonly home: string;
  private readonly progress: Progress;

  /** @param home the folder with the cluster's state, data and logs */
  constructor(home: string, progress: Progress) {
    this.home = home;
    this.progress = progress;
  }

  /** Starts ZooKeeper and the brokers and waits until all serve. */
  async up(options: UpOptions): Promise<void> {
    await startCluster(this.home, options, this.progress);
  }

  /** Ends everything; with `wipe` the data go, too. No cluster is no error. */
  async down(options: { wipe: boolean }): Promise<void> {
    const state = loadState(this.home);
    if (state === undefined || (!state.up && !options.wipe)) {
      this.progress('no cluster is up');
      return;
    }
    // What is wiped needs no controlled shutdown.
    if (state.up) await stopCluster(this.home, state, { graceMs: options.wipe ? 0 : graceMs, progress: this.progress });
    if (!options.wipe) return;
    await wipeCluster(this.home, state);
    this.progress('its data are removed');
  }

  /** What runs where. ZooKeeper is asked who is controller; a silent one leaves that unknown. */
  async status(): Promise<ClusterStatus> {
    const state = this.state();
    const brokers = await this.seen(state);
    const { connectString } = state.zooKeeper;
    let controller: ClusterStatus['controller'] = { id: null, epoch: null };
    try {
      controller = await readZooKeeper(connectString, readController);
    } catch (error) {
      this.progress(`ZooKeeper does not answer at ${connectString}: ${messageOf(error)}`);
    }
    return { zookeeper: connectString, brokers, controller };
  }

  /** The brokers' states alone; undefined when the cluster is down. */
  async brokerStates(): Promise<ClusterStatus['brokers'] | undefined> {
    const state = loadState(this.home);
    return state?.up === true ? this.seen(state) : undefined;
  }

  /** kill -9: nothing is said goodbye to, the session lives on until it expires. */
  async kill(id: number): Promise<void> {
    const { state, broker } = await this.alive(id);
    await broker.kill();
    this.remember(state, id, 'killed');
    this.progress(`broker ${id} was killed; ZooKeeper misses it only when its session has expired`);
  }

  /** SIGTERM: a controlled shutdown. */
  async stop(id: number): Promise<void> {
    const { state, broker } = await this.alive(id);
    const byItself = await broker.stop(graceMs);
    this.remember(state, id, byItself ? 'stopped' : 'killed');
    this.progress(byItself ? `broker ${id} has stopped` : `broker ${id} did not end in ${graceMs / 1000} s: killed`);
  }

  /** Starts an ended broker with the data it has, once the session of its earlier life has expired. */
  async start(id: number): Promise<void> {
    const { state, broker } = this.broker(id);
    if ((await broker.state) !== 'gone') throw new LabError(`broker ${id} runs already (pid ${await broker.pid})`);
    await this.waitUntilUnregistered(state, id);
    await startBroker(this.home, state, broker, this.progress);
  }

  /** SIGSTOP: its connections stay open, and nothing is answered. */
  async pause(id: number): Promise<void> {
    const { broker } = await this.alive(id);
    if ((await broker.state) === 'paused') throw new LabError(`broker ${id} is paused already`);
    await broker.pause();
    this.progress(`broker ${id} is paused: it keeps its connections and answers nothing (scripts/lab resume ${id})`);
  }

  /** SIGCONT. */
  async resume(id: number): Promise<void> {
    const { broker } = await this.alive(id);
    if ((await broker.state) !== 'paused') throw new LabError(`broker ${id} is not paused`);
    await broker.resume();
    this.progress(`broker ${id} goes on`);
  }

  /** Looks at znodes and requests of the cluster that is up. */
  observer(): Observer {
    return new Observer(this.home, this.state());
  }

  private async seen(state: LabState): Promise<ClusterStatus['brokers']> {
    const brokers: ClusterStatus['brokers'][number][] = [];
    for (const broker of brokersOf(this.home, state)) {
      const { id, host, port } = broker;
      const saved = savedOf(state, id);
      const seen = tell(await broker.state, saved);
      const http = saved.httpPort === undefined ? null : `http://${host}:${saved.httpPort}`;
      brokers.push({ id, host, port, pid: (await broker.pid) ?? null, state: seen, http });
    }
    return brokers;
  }

  private state(): LabState {
    const state = loadState(this.home);
    if (state?.up !== true) throw new LabError('no cluster is up: scripts/lab up --detach starts one');
    return state;
  }

  private broker(id: number): { state: LabState; broker: LabBroker } {
    const state = this.state();
    const broker = brokersOf(this.home, state).find((each) => each.id === id);
    if (broker === undefined) {
      const ids = state.brokers.map((each) => each.id).join(', ');
      throw new LabError(`there is no broker ${id}: this cluster has ${ids}`);
    }
    return { state, broker };
  }

  private async alive(id: number): Promise<{ state: LabState; broker: LabBroker }> {
    const found = this.broker(id);
    if ((await found.broker.state) === 'gone') {
      throw new LabError(`broker ${id} does not run: scripts/lab start ${id} starts it`);
    }
    return found;
  }

  private remember(state: LabState, id: number, ended: 'stopped' | 'killed'): void {
    savedOf(state, id).ended = ended;
    saveState(this.home, state);
  }

  /** A broker refuses to start while `/brokers/ids/<id>` of its earlier session is there, as Kafka's does. */
  private async waitUntilUnregistered(state: LabState, id: number): Promise<void> {
    await readZooKeeper(state.zooKeeper.connectString, async (reader) => {
      const registered = async (): Promise<boolean> => (await reader.data(`/brokers/ids/${id}`)) !== undefined;
      if (!(await registered())) return;
      this.progress(`broker ${id}'s earlier session has not expired yet: waiting for that`);
      await eventually(async () => !(await registered()), { timeoutMs: 70_000, what: `the end of /brokers/ids/${id}` });
    });
  }
}

function savedOf(state: LabState, id: number): SavedBroker {
  return state.brokers.find((each) => each.id === id)!;
}

function tell(state: ProcessState, saved: SavedBroker): BrokerState {
  return state === 'gone' ? (saved.ended ?? 'ended') : state;
}
