import { existsSync } from 'node:fs';
import { brokerImage, buildBrokerImage, dockerAnswers, freePorts, zooKeeperImage } from '@klassic/lab';
import { GenericContainer, getContainerRuntimeClient, Network, Wait } from 'testcontainers';
import type { StartedNetwork, StartedTestContainer } from 'testcontainers';

/** Whether a Docker engine answers; where none does a line says that the tests with containers are skipped. */
export async function hasDocker(): Promise<boolean> {
  if (await dockerAnswers()) return true;
  process.stderr.write('No Docker engine answers: tests with containers are skipped.\n');
  return false;
}

/** A broker in a container. */
export interface ContainerBroker {
  readonly id: number;
  /** `127.0.0.1:port`, the same after a restart. */
  readonly bootstrapServer: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts the killed container again, with its data. */
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface ContainerCluster {
  readonly brokers: readonly ContainerBroker[];
  readonly bootstrapServers: readonly string[];
  /** ZooKeeper's `host:port` for this machine. */
  readonly zooKeeperConnect: string;
  stop(): Promise<void>;
}

/** Builds the brokers' image and starts ZooKeeper and `count` brokers with testcontainers, which removes them whatever happens. */
export async function startContainerCluster(count = 3): Promise<ContainerCluster> {
  // In a machine that is itself like a container testcontainers would take its gateway for the engine's host.
  if (process.env['DOCKER_HOST'] === undefined && existsSync('/.dockerenv')) {
    process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1';
  }
  await buildBrokerImage(() => undefined);
  const network = await new Network().start();
  const started: StartedTestContainer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((container) => container.stop({ timeout: 0 })));
    await network.stop();
  };
  try {
    // Chosen beforehand: a port must be known before it is advertised, and must outlive a restart.
    const [zooKeeperPort, ...ports] = await freePorts(count + 1);
    const zooKeeper = await startZooKeeperContainer(network, zooKeeperPort!);
    started.push(zooKeeper);
    const brokers = await Promise.all(
      ports.map(async (port, index) => {
        const container = await startBrokerContainer(network, index + 1, port);
        started.push(container);
        return brokerOf(container, index + 1, port);
      }),
    );
    return {
      brokers,
      bootstrapServers: brokers.map((broker) => broker.bootstrapServer),
      zooKeeperConnect: `127.0.0.1:${zooKeeperPort}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startZooKeeperContainer(network: StartedNetwork, port: number): Promise<StartedTestContainer> {
  return new GenericContainer(zooKeeperImage)
    .withNetwork(network)
    .withNetworkAliases('zookeeper')
    .withEnvironment({
      ZOO_TICK_TIME: '500',
      ZOO_MAX_CLIENT_CNXNS: '0',
      ZOO_ADMINSERVER_ENABLED: 'false',
      ZOO_4LW_COMMANDS_WHITELIST: '*',
      ZOO_CFG_EXTRA: 'minSessionTimeout=1000 maxSessionTimeout=60000',
      JVMFLAGS: '-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1',
    })
    .withExposedPorts({ container: 2181, host: port })
    .withWaitStrategy(Wait.forSuccessfulCommand('echo srvr | nc -w 1 localhost 2181 | grep -q Mode:'))
    .withStartupTimeout(60_000)
    .start();
}

function startBrokerContainer(network: StartedNetwork, id: number, port: number): Promise<StartedTestContainer> {
  const overrides = {
    'broker.id': String(id),
    'zookeeper.connect': 'zookeeper:2181',
    listeners: `HOST://0.0.0.0:${port},BROKER://0.0.0.0:19092`,
    'advertised.listeners': `HOST://127.0.0.1:${port},BROKER://broker-${id}:19092`,
  };
  return new GenericContainer(brokerImage)
    .withNetwork(network)
    .withNetworkAliases(`broker-${id}`)
    .withCommand([
      '/klassic/server.properties',
      ...Object.entries(overrides).flatMap(([name, value]) => ['--override', `${name}=${value}`]),
    ])
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(
      Wait.forSuccessfulCommand("grep -q 'started (kafka.server.KafkaServer)' /klassic/logs/server.log"),
    )
    .withStartupTimeout(60_000)
    .start();
}

async function brokerOf(container: StartedTestContainer, id: number, port: number): Promise<ContainerBroker> {
  const client = await getContainerRuntimeClient();
  const handle = client.container.getById(container.getId());
  return {
    id,
    bootstrapServer: `127.0.0.1:${port}`,
    kill: async () => {
      await handle.kill({ signal: 'SIGKILL' });
      await handle.wait();
    },
    start: async () => {
      await handle.start();
    },
    pause: async () => {
      await handle.pause();
    },
    resume: async () => {
      await handle.unpause();
    },
  };
}
