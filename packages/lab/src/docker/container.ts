import { eventually } from '../eventually.ts';
import type { ProcessState } from '../process/process-identity.ts';
import { containerExists, containerPid, containerState, docker } from './docker-cli.ts';

export interface ContainerOptions {
  readonly name: string;
  readonly image: string;
  readonly network: string;
  /** By what name the other containers of the network reach it. */
  readonly alias: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Ports published on 127.0.0.1. */
  readonly ports: readonly { readonly host: number; readonly container: number }[];
  /** What the image's process is given; default: the image's own. */
  readonly args?: readonly string[];
  /** `uid:gid` to run as; default: the image's. */
  readonly user?: string;
  /** Folders or files of this machine seen inside. */
  readonly mounts?: readonly { readonly host: string; readonly container: string }[];
}

/** A container that is made once, may be killed and paused, and is started again with its data. */
export class Container {
  readonly name: string;
  private readonly options: ContainerOptions;

  constructor(options: ContainerOptions) {
    this.name = options.name;
    this.options = options;
  }

  get state(): Promise<ProcessState> {
    return containerState(this.name);
  }

  get pid(): Promise<number | undefined> {
    return containerPid(this.name);
  }

  /** Starts it, making it first where there is none. */
  async launch(): Promise<void> {
    const { name, image, network, alias, environment, ports, mounts = [], args = [], user } = this.options;
    if (await containerExists(name)) {
      await docker(['start', name]);
      return;
    }
    const flags = ['--name', name, '--hostname', alias, '--network', network, '--network-alias', alias];
    for (const [key, value] of Object.entries(environment)) flags.push('--env', `${key}=${value}`);
    for (const port of ports) flags.push('--publish', `127.0.0.1:${port.host}:${port.container}`);
    for (const mount of mounts) flags.push('--volume', `${mount.host}:${mount.container}`);
    if (user !== undefined) flags.push('--user', user);
    await docker(['run', '--detach', '--label', 'klassic.lab', ...flags, image, ...args]);
  }

  async kill(): Promise<void> {
    if ((await this.state) === 'gone') return;
    await docker(['kill', this.name]);
    await eventually(async () => (await this.state) === 'gone', { what: `the end of ${this.name}` });
  }

  /**
   * SIGTERM; SIGKILL when it has not ended after `graceMs`.
   *
   * @returns true when it ended by itself
   */
  async stop(graceMs = 60_000): Promise<boolean> {
    if ((await this.state) === 'paused') await this.resume();
    if ((await this.state) === 'gone') return true;
    await docker(['stop', '--time', String(Math.ceil(graceMs / 1000)), this.name]);
    return (await docker(['inspect', '--format', '{{.State.ExitCode}}', this.name])) !== '137';
  }

  async pause(): Promise<void> {
    await docker(['pause', this.name]);
  }

  async resume(): Promise<void> {
    await docker(['unpause', this.name]);
  }

  /** What it has written to its output, for the line that says why it ended. */
  logs(lines: number): Promise<string> {
    return docker(['logs', '--tail', String(lines), this.name], undefined, 'both');
  }

  /** Removes it with its data. */
  async remove(): Promise<void> {
    if (await containerExists(this.name)) await docker(['rm', '--force', '--volumes', this.name]);
  }
}
