import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { eventually } from '../eventually.ts';
import { LabError } from '../lab-error.ts';
import { startInBackground } from '../process/background-process.ts';
import { stateOf } from '../process/process-identity.ts';
import type { ProcessIdentity } from '../process/process-identity.ts';
import { zooKeeperMode } from './four-letter-word.ts';
import { zooKeeperJars } from './jars.ts';

/** One server of an ensemble, by its ports on 127.0.0.1. */
export interface ZooKeeperServerPlace {
  /** 1, 2, 3: `myid`. */
  readonly id: number;
  readonly clientPort: number;
  /** Where followers reach the leader, and where votes go; not used by a server alone. */
  readonly quorumPort: number;
  readonly electionPort: number;
}

export interface JavaServerOptions {
  readonly java: string;
  /** Where the jars lie. */
  readonly jars: string;
  /** This server's folder: configuration, data and log. */
  readonly folder: string;
  readonly place: ZooKeeperServerPlace;
  readonly ensemble: readonly ZooKeeperServerPlace[];
  /** Whether each transaction is flushed to disk before it is acknowledged: false for tests only. Default true. */
  readonly forceSync?: boolean;
}

/** Milliseconds: half a second lets sessions be as short as a second; Kafka's own default needs the raised maximum. */
const tickTimeMs = 500;

/** Starts one ZooKeeper server as a process. It serves only later: see `waitUntilServing`. */
export function startJavaServer(options: JavaServerOptions): Promise<ProcessIdentity> {
  const { folder, place, ensemble } = options;
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'myid'), `${place.id}\n`);
  writeFileSync(join(folder, 'zoo.cfg'), configuration(data, place, ensemble));
  writeFileSync(join(folder, 'logback.xml'), logback(join(folder, 'zookeeper.log')));
  const main = ensemble.length > 1 ? 'quorum.QuorumPeerMain' : 'ZooKeeperServerMain';
  return startInBackground({
    command: options.java,
    args: [
      '-Xmx128m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-XX:-UsePerfData',
      '-Duser.timezone=UTC',
      `-Dlogback.configurationFile=${join(folder, 'logback.xml')}`,
      ...(options.forceSync === false ? ['-Dzookeeper.forceSync=no'] : []),
      '-cp',
      zooKeeperJars.map((jar) => join(options.jars, basename(jar.path))).join(delimiter),
      `org.apache.zookeeper.server.${main}`,
      join(folder, 'zoo.cfg'),
    ],
    outputFile: join(folder, 'zookeeper.out'),
  });
}

/**
 * Waits until the server answers `srvr` with its mode.
 *
 * @throws LabError with the log's last complaint when the process ends or stays silent for `timeoutMs`
 */
export async function waitUntilServing(
  folder: string,
  place: ZooKeeperServerPlace,
  identity: ProcessIdentity,
  timeoutMs = 30_000,
): Promise<void> {
  const mode = await eventually(
    async () => (await zooKeeperMode('127.0.0.1', place.clientPort)) ?? stateOf(identity) === 'gone',
    { timeoutMs, what: 'ZooKeeper' },
  ).catch(() => undefined);
  if (typeof mode === 'string') return;
  const ended = mode === true ? 'ended while starting' : `did not serve within ${timeoutMs / 1000} s`;
  throw new LabError(`ZooKeeper on 127.0.0.1:${place.clientPort} ${ended}: ${lastComplaint(folder)}`);
}

function configuration(data: string, place: ZooKeeperServerPlace, ensemble: readonly ZooKeeperServerPlace[]): string {
  const lines = [
    `tickTime=${tickTimeMs}`,
    'initLimit=20',
    'syncLimit=10',
    `dataDir=${data}`,
    `clientPort=${place.clientPort}`,
    'clientPortAddress=127.0.0.1',
    'maxClientCnxns=0',
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    'admin.enableServer=false',
    '4lw.commands.whitelist=*',
  ];
  if (ensemble.length > 1) {
    for (const member of ensemble) {
      lines.push(`server.${member.id}=127.0.0.1:${member.quorumPort}:${member.electionPort}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function logback(file: string): string {
  return `<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>${file}</file>
    <encoder><pattern>[%d{yyyy-MM-dd HH:mm:ss,SSS}] %p %m \\(%logger\\)%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="FILE"/></root>
</configuration>
`;
}

function lastComplaint(folder: string): string {
  const log = join(folder, 'zookeeper.log');
  const output = join(folder, 'zookeeper.out');
  for (const file of [log, output]) {
    if (!existsSync(file)) continue;
    const lines = readFileSync(file, 'utf8').split('\n');
    const complaint = lines.findLast((line) => /ERROR|Exception|Error:/.test(line));
    if (complaint !== undefined) return complaint.trim();
  }
  return `its log is ${log}`;
}
