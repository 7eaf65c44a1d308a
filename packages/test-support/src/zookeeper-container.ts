import { execFileSync } from 'node:child_process';
import { ZooKeeperContainer } from '@klassic/lab';
import type { ProcessState, ZooKeeperServerPlace } from '@klassic/lab';
import { removeContainerAfterwards, removeNetworkAfterwards } from './left-overs.ts';
import type { ZooKeeperServer } from './zookeeper-server.ts';

/** The servers of an ensemble, each in a container of the official image. */
export function containerServers(ensemble: readonly ZooKeeperServerPlace[]): ZooKeeperServer[] {
  const network = `klassic-test-${ensemble[0]!.clientPort}`;
  docker('network', 'create', '--label', 'klassic.test', network);
  removeNetworkAfterwards(network);
  return ensemble.map((place) => {
    const name = `${network}-zookeeper-${place.id}`;
    removeContainerAfterwards(name);
    return new ContainerServer(name, new ZooKeeperContainer({ name, network, place, ensemble }));
  });
}

/** Speaks to Docker while the caller waits, so that a test pauses a container as it pauses a process. */
class ContainerServer implements ZooKeeperServer {
  private readonly name: string;
  private readonly container: ZooKeeperContainer;

  constructor(name: string, container: ZooKeeperContainer) {
    this.name = name;
    this.container = container;
  }

  get port(): number {
    return this.container.place.clientPort;
  }

  get pid(): number {
    return Number(docker('inspect', '--format', '{{.State.Pid}}', this.name));
  }

  get state(): ProcessState {
    const seen = docker('inspect', '--format', '{{.State.Status}}', this.name);
    if (seen === 'paused') return 'paused';
    return seen === 'running' ? 'running' : 'gone';
  }

  pause(): void {
    docker('pause', this.name);
  }

  resume(): void {
    docker('unpause', this.name);
  }

  kill(): Promise<void> {
    return this.container.kill();
  }

  start(): Promise<void> {
    return this.container.start(() => undefined);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8' }).trim();
}
