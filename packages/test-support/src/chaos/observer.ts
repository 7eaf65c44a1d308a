import { messageOf, readZooKeeper, sleep } from '@klassic/lab';
import type { History } from './history.ts';

interface PartitionState {
  readonly leader: number;
  readonly leader_epoch: number;
  readonly isr: readonly number[];
}

export interface ObserverOptions {
  readonly connectString: string;
  readonly topic: string;
  readonly partitions: number;
  readonly history: History;
}

const intervalMs = 100;

/** Looks into ZooKeeper all the time: who is controller, who leads in which epoch. */
export class ChaosObserver {
  /** 0 while there is none. */
  controller = 0;
  /** By partition. */
  readonly states = new Map<number, PartitionState>();
  private readonly options: ObserverOptions;
  private readonly running: Promise<void>;
  private stopping = false;

  constructor(options: ObserverOptions) {
    this.options = options;
    this.running = this.run();
    // Told by `stop`.
    this.running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async run(): Promise<void> {
    const { connectString, topic, partitions, history } = this.options;
    const paths = Array.from(
      { length: partitions },
      (_, index) => `/brokers/topics/${topic}/partitions/${index}/state`,
    );
    while (!this.stopping) {
      try {
        await readZooKeeper(connectString, async (reader) => {
          while (!this.stopping) {
            const controller = await reader.data('/controller');
            this.controller = controller === undefined ? 0 : (JSON.parse(controller) as { brokerid: number }).brokerid;
            const texts = await Promise.all(paths.map((path) => reader.data(path)));
            for (const [partition, text] of texts.entries()) if (text !== undefined) this.note(partition, text);
            await sleep(intervalMs);
          }
        });
      } catch (error) {
        history.noteTrouble('observer', messageOf(error));
        await sleep(intervalMs);
      }
    }
  }

  private note(partition: number, text: string): void {
    const { history } = this.options;
    const state = JSON.parse(text) as PartitionState;
    const before = this.states.get(partition);
    if (before !== undefined && state.leader_epoch < before.leader_epoch) {
      history.violations.push(
        `leader epoch of partition ${partition} fell from ${before.leader_epoch} to ${state.leader_epoch}`,
      );
    }
    this.states.set(partition, state);
    history.noteLeader(partition, state.leader_epoch, state.leader);
  }
}
