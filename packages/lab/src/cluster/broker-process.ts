import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../paths.ts';
import { killNow, startInBackground, terminate } from '../process/background-process.ts';
import { signal, stateOf } from '../process/process-identity.ts';
import type { ProcessIdentity, ProcessState } from '../process/process-identity.ts';
import { BrokerLog } from './broker-log.ts';
import { writeProperties } from './broker-properties.ts';
import type { Properties } from './broker-properties.ts';

export interface BrokerProcessOptions {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** The broker's folder: server.properties, `logs/` (its `$LOG_DIR`), `out` and, by default, `data/`. */
  readonly folder: string;
  /** Runs one broker in front, given a server.properties; see `brokerCommand`. */
  readonly command?: string;
  /** A process started earlier, which may have ended since. */
  readonly identity?: ProcessIdentity;
}

/** The command that runs one broker in front and is, or execs, the broker: `KLASSIC_BROKER_COMMAND`, else scripts/kafka-server-start. */
export function brokerCommand(env: NodeJS.ProcessEnv = process.env): string {
  return env['KLASSIC_BROKER_COMMAND'] ?? join(checkout, 'scripts', 'kafka-server-start');
}

/** One broker as a process of its own on this machine. */
export class BrokerProcess {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  /** Where it logs: server.log, controller.log, state-change.log, kafka-request.log. */
  readonly logFolder: string;
  private readonly command: string;
  private current: ProcessIdentity | undefined;
  private readonly log: BrokerLog;

  constructor(options: BrokerProcessOptions) {
    this.id = options.id;
    this.host = options.host;
    this.port = options.port;
    this.folder = options.folder;
    this.logFolder = join(options.folder, 'logs');
    this.log = new BrokerLog(options.id, options.folder);
    this.command = options.command ?? brokerCommand();
    this.current = options.identity;
  }

  get identity(): ProcessIdentity | undefined {
    return this.current;
  }

  get pid(): number | undefined {
    return this.state === 'gone' ? undefined : this.current?.pid;
  }

  get state(): ProcessState {
    return this.current === undefined ? 'gone' : stateOf(this.current);
  }

  /** Writes server.properties anew, for the next launch. */
  configure(properties: Properties): void {
    writeProperties(join(this.folder, 'server.properties'), properties);
  }

  /** Starts the process; `waitUntilStarted` tells when it serves. */
  async launch(): Promise<ProcessIdentity> {
    mkdirSync(this.logFolder, { recursive: true });
    this.log.mark();
    this.current = await startInBackground({
      command: this.command,
      args: [join(this.folder, 'server.properties')],
      env: { ...process.env, LOG_DIR: this.logFolder, TZ: 'UTC' },
      cwd: this.folder,
      outputFile: join(this.folder, 'out'),
    });
    return this.current;
  }

  /**
   * Waits for the line with which a broker says that it is started.
   *
   * @throws LabError with the broker's own complaint when it ends before, or says nothing for a minute
   */
  async waitUntilStarted(): Promise<void> {
    await this.log.waitUntilStarted(() => this.state === 'gone');
  }

  async start(): Promise<void> {
    await this.launch();
    await this.waitUntilStarted();
  }

  /** kill -9, and waits for the end. */
  async kill(): Promise<void> {
    if (this.current !== undefined) await killNow(this.current);
  }

  /**
   * SIGTERM: a controlled shutdown; SIGKILL when it has not ended after `graceMs`.
   *
   * @returns true when it ended by itself
   */
  async stop(graceMs = 60_000): Promise<boolean> {
    return this.current === undefined || (await terminate(this.current, graceMs));
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.current !== undefined) signal(this.current, 'SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    if (this.current !== undefined) signal(this.current, 'SIGCONT');
  }
}
