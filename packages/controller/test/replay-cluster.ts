import { MockTime, SeededRandom, silentLoggers } from '@klassic/common';
import type { RequestInit } from '@klassic/protocol';
import type { LoggerFactory } from '@klassic/common';
import { BrokerIdZNode, KafkaZkClient } from '@klassic/zookeeper';
import type { BrokerInfo } from '@klassic/zookeeper';
import type { ControlApi, ControllerConfig, ControllerConnection } from '../src/index.ts';
import { KafkaController } from '../src/index.ts';
import { FakeZooKeeper } from './fake-zookeeper.ts';
import type { FakeSession } from './fake-zookeeper.ts';

/** What a broker answers: what the controller looks at of it. */
export interface Answer {
  readonly errorCode: number;
  readonly partitionErrors?: readonly { topicName: string; partitionIndex: number; errorCode: number }[];
}

/** A request of a controller to a broker. */
export interface SentRequest {
  readonly from: number;
  readonly to: number;
  readonly api: ControlApi;
  readonly version: number;
  readonly request: RequestInit<ControlApi>;
}

interface Broker {
  readonly session: FakeSession;
  readonly controller: KafkaController;
  /** The settings it runs with, which may change while it does. */
  readonly config: { -readonly [Setting in keyof ControllerConfig]: ControllerConfig[Setting] };
  alive: boolean;
}

/** What a broker answers; throwing makes the connection fail. */
export type Respond = (request: SentRequest) => Answer;

/** Controllers of several brokers on a ZooKeeper in memory and in virtual time; brokers only write down what they are told. */
export class ReplayCluster {
  readonly zk = new FakeZooKeeper();
  readonly time = new MockTime();
  readonly brokers = new Map<number, Broker>();
  readonly sent: SentRequest[] = [];
  /** Every registration that a broker had. */
  readonly registrations: { readonly id: number; readonly session: string; readonly epoch: number }[] = [];
  /** Brokers that have been asked to end. */
  readonly leaving = new Set<number>();
  respond: Respond = respondWithoutErrors;
  private readonly resumes = new Map<number, () => void>();
  private readonly config: Partial<ControllerConfig>;
  private readonly loggers: (brokerId: number) => LoggerFactory;

  constructor(
    config: Partial<ControllerConfig> = {},
    loggers: (brokerId: number) => LoggerFactory = () => silentLoggers,
  ) {
    this.config = config;
    this.loggers = loggers;
  }

  /** Starts the controller of a broker whose registration is already in the tree, made by the session of that name. */
  startBroker(id: number, sessionName: string): KafkaController {
    const session = this.zk.connect(sessionName);
    const node = this.zk.nodes.get(BrokerIdZNode.path(id))!;
    this.registrations.push({ id, session: sessionName, epoch: node.czxid });
    const config = {
      brokerId: id,
      interBrokerListenerName: 'PLAINTEXT',
      deleteTopicEnable: true,
      autoLeaderRebalanceEnable: false,
      leaderImbalancePerBrokerPercentage: 10,
      leaderImbalanceCheckIntervalSeconds: 300,
      uncleanLeaderElectionEnable: false,
      ...this.config,
    };
    const controller = new KafkaController({
      config,
      zkClient: new KafkaZkClient(session.asSession(), this.time, this.loggers(id)),
      brokerInfo: BrokerIdZNode.decode(id, node.data),
      brokerEpoch: node.czxid,
      connect: (target) => this.connection(id, target.id),
      time: this.time,
      random: new SeededRandom(id),
      loggers: this.loggers(id),
    });
    this.brokers.set(id, { session, controller, config, alive: true });
    controller.startup();
    return controller;
  }

  controller(id: number): KafkaController {
    return this.brokers.get(id)!.controller;
  }

  /** The process is gone at once; its session lives on until it is closed. */
  kill(id: number): void {
    const broker = this.brokers.get(id);
    if (broker === undefined) return;
    broker.alive = false;
    broker.session.dead = true;
  }

  /** Stops the process as SIGSTOP does: what it is asked and what it asks waits. */
  pause(id: number): void {
    const { session } = this.brokers.get(id)!;
    session.held = new Promise((resolve) => {
      this.resumes.set(id, () => {
        session.held = undefined;
        resolve();
      });
    });
  }

  resume(id: number): void {
    this.resumes.get(id)?.();
    this.resumes.delete(id);
  }

  /** The server ends the session of a process that lives on. */
  expire(id: number): void {
    const { session } = this.brokers.get(id)!;
    this.zk.closeSession(session.name);
    session.expired = true;
  }

  /** Lets everything that is under way come to its end. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  private connection(from: number, to: number): ControllerConnection {
    let open = true;
    return {
      send: async (api, version, body) => {
        await Promise.resolve();
        if (!open || this.brokers.get(to)?.alive === false || this.brokers.get(from)?.alive === false) {
          throw new Error(`broker ${to} cannot be reached`);
        }
        await this.brokers.get(from)?.session.held;
        await this.brokers.get(to)?.session.held;
        const request: SentRequest = { from, to, api, version, request: body };
        const response = this.respond(request);
        this.sent.push(request);
        await this.brokers.get(from)?.session.held;
        return response as never;
      },
      close: () => {
        open = false;
      },
    };
  }
}

/** Success for every partition asked about. */
export function respondWithoutErrors({ api, request }: SentRequest): Answer {
  if (api === 'UpdateMetadata') return { errorCode: 0 };
  const partitionErrors = (request.topicStates ?? []).flatMap(({ topicName = '', partitionStates = [] }) =>
    partitionStates.map(({ partitionIndex = 0 }) => ({ topicName, partitionIndex, errorCode: 0 })),
  );
  return { errorCode: 0, partitionErrors };
}

/** A broker with one plain listener. */
export function brokerInfo(id: number, rack: string | null = null): BrokerInfo {
  const endPoint = {
    host: '127.0.0.1',
    port: 19090 + id,
    listenerName: 'PLAINTEXT',
    securityProtocol: 'PLAINTEXT',
  } as const;
  return { id, endPoints: [endPoint], rack, version: 4, jmxPort: -1 };
}
