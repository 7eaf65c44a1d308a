import { createInterface } from 'node:readline';
import { silentLoggers, SystemRandom } from '@klassic/common';
import { ZooKeeperError, ZooKeeperSession } from '@klassic/zookeeper';
import type { Stat } from '@klassic/zookeeper';
import { UsageError } from './tool.ts';
import type { Tool, ToolIo } from './tool.ts';

const COMMANDS = 'ls [-s] [-R] path, get [-s] path, stat path, quit';
const SESSION_TIMEOUT_MS = 30_000;
const FAILED = 1;

/** zookeeper-shell: looks at znodes. `host:port[/chroot] [command]`; without a command it reads commands from standard input. */
export const zooKeeperShell: Tool = async (argv, io) => {
  const [connectString, ...command] = argv;
  if (connectString === undefined) {
    throw new UsageError(`USAGE: zookeeper-shell zookeeper_host:port[/path] [args...] (commands: ${COMMANDS})`);
  }
  io.out(`Connecting to ${connectString}\n`);
  const session = await ZooKeeperSession.connect({
    connectString,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    connectionTimeoutMs: SESSION_TIMEOUT_MS,
    time: io.time,
    random: new SystemRandom(),
    loggers: silentLoggers,
  });
  try {
    if (command.length > 0) {
      io.out('\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null\n');
      return await execute(session, command, io);
    }
    io.out('Welcome to ZooKeeper!\n');
    const lines = createInterface({ input: io.stdin, signal: io.signal });
    for await (const line of lines) {
      const words = line.trim().split(/\s+/);
      if (words[0] === 'quit') break;
      if (words[0] !== '') await execute(session, words, io);
    }
    return 0;
  } finally {
    await session.close();
  }
};

/** @returns the exit code */
async function execute(session: ZooKeeperSession, [name, ...rest]: readonly string[], io: ToolIo): Promise<number> {
  const flags = rest.filter((word) => word.startsWith('-'));
  const path = rest.find((word) => !word.startsWith('-'));
  const command = name === undefined ? undefined : commands[name];
  if (command === undefined || path === undefined) {
    io.err(`Command not found: ${[name, ...rest].join(' ')} (commands: ${COMMANDS})\n`);
    return FAILED;
  }
  try {
    await command(session, path, new Set(flags), io);
    return 0;
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error;
    io.err(error.code === 'NO_NODE' ? `Node does not exist: ${path}\n` : `${error.message}\n`);
    return FAILED;
  }
}

const commands: Record<
  string,
  (session: ZooKeeperSession, path: string, flags: ReadonlySet<string>, io: ToolIo) => Promise<void>
> = {
  async ls(session, path, flags, io) {
    if (flags.has('-R')) {
      await listBelow(session, path, io);
      return;
    }
    io.out(`[${(await childrenOf(session, path)).join(', ')}]\n`);
    if (flags.has('-s')) io.out(statText((await session.getData(path)).stat));
  },
  async get(session, path, flags, io) {
    const { data, stat } = await session.getData(path);
    io.out(`${data === null ? 'null' : data.toString()}\n`);
    if (flags.has('-s')) io.out(statText(stat));
  },
  async stat(session, path, _flags, io) {
    io.out(statText((await session.getData(path)).stat));
  },
};

async function childrenOf(session: ZooKeeperSession, path: string): Promise<string[]> {
  return (await session.getChildren(path)).sort();
}

async function listBelow(session: ZooKeeperSession, path: string, io: ToolIo): Promise<void> {
  io.out(`${path}\n`);
  for (const child of await childrenOf(session, path)) {
    await listBelow(session, path === '/' ? `/${child}` : `${path}/${child}`, io);
  }
}

/** A stat in the form of ZooKeeper's shell. */
function statText(stat: Stat): string {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    `cZxid = ${hex(stat.czxid)}`,
    `ctime = ${javaDate(stat.ctime)}`,
    `mZxid = ${hex(stat.mzxid)}`,
    `mtime = ${javaDate(stat.mtime)}`,
    `pZxid = ${hex(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${stat.ephemeralOwner}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
    '',
  ].join('\n');
}

/** `Wed Apr 21 10:00:00 UTC 2021` */
function javaDate(ms: number): string {
  const [, day, date, month, year, clock] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString())!;
  return `${day} ${month} ${date} ${clock} UTC ${year}`;
}
