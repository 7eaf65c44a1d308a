import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { parseOffsets } from '../src/delete-records.ts';
import {
  deleteRecordsCommand,
  leaderElectionCommand,
  logDirsCommand,
  reassignPartitionsCommand,
  runWith,
} from '../src/index.ts';
import type { Tool } from '../src/index.ts';
import { parseElectionData, report } from '../src/leader-election.ts';
import { formatLogDirs } from '../src/log-dirs.ts';
import { proposeAssignments } from '../src/reassign/generate.ts';
import { describeMoves } from '../src/reassign/log-dir-moves.ts';
import { formatPlan, parseExecutablePlan, parsePlan } from '../src/reassign/plan.ts';
import { followerThrottles, leaderThrottles, proposedMoves } from '../src/reassign/throttles.ts';
import { memoryIo } from './memory-io.ts';

interface Case {
  readonly name: string;
  readonly argv: string[];
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the original did. */
function captured(tool: string, name: string): Case {
  const { cases } = readReferenceJson('cluster', '2.8.2', 'cli', `${tool}.json`) as { cases: Case[] };
  return cases.find((one) => one.name === name)!;
}

/** Runs a tool with the text of the file that its arguments name. */
async function runWithFile(
  tool: Tool,
  argv: readonly string[],
  text: string,
): Promise<ReturnType<typeof memoryIo> & { code: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'klassic-tool-'));
  try {
    const path = join(dir, 'file.json');
    writeFileSync(path, text);
    const io = memoryIo();
    const code = await runWith(
      tool,
      argv.map((word) => (word.startsWith('<run>/') ? path : word)),
      io,
    );
    return { ...io, code };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describeWithReference(describe)('kafka-reassign-partitions', () => {
  const twice = { topic: 't2', partition: 0, replicas: [1, 1] };
  it.each([
    ['empty plan', { version: 1, partitions: [] }],
    ['duplicate replica', { version: 1, partitions: [twice] }],
  ])('tells of a plan that cannot be as the original does: %s', async (name, plan) => {
    const { argv, stdout, exit } = captured('kafka-reassign-partitions', name);
    const result = await runWithFile(reassignPartitionsCommand, argv, JSON.stringify(plan));
    expect([result.code, result.stdout, result.stderr]).toEqual([exit, `${stdout.split('\n')[0]}\n`, '']);
  });

  it('formats plans as the original does', () => {
    const lines = captured('kafka-reassign-partitions', 'generate').stdout.split('\n');
    for (const line of [lines[1]!, lines[4]!]) expect(formatPlan(parsePlan(line).assignments)).toBe(line);
  });

  it('wants exactly one action, and the options that go with it', async () => {
    const { argv, stderr } = captured('kafka-reassign-partitions', 'no action');
    const servers = argv.slice(0, 2);
    const mistakes: [string[], string][] = [
      [argv, stderr.split('\n')[0]!],
      [['--list'], 'Please specify --bootstrap-server'],
      [[...servers, '--execute'], 'Missing required argument "[reassignment-json-file]"'],
      [[...servers, '--generate', '--broker-list', '1'], 'Missing required argument "[topics-to-move-json-file]"'],
      [[...servers, '--list', '--throttle', '5'], `Option "[throttle]" can't be used with action "[list]"`],
    ];
    for (const [words, line] of mistakes) {
      const io = memoryIo();
      expect(await runWith(reassignPartitionsCommand, words, io)).toBe(1);
      expect(io.stderr).toBe(`${line}\n`);
    }
  });
});

describe('plans', () => {
  it('name log dirs', () => {
    const text = '{"partitions":[{"topic":"t","partition":1,"replicas":[1,2],"log_dirs":["/a","any"]}]}';
    expect(parsePlan(text).moves).toEqual([{ topic: 't', partition: 1, brokerId: 1, logDir: '/a' }]);
  });

  it.each([
    ['[]', 'Expected JSON object, received []'],
    ['{"version":2,"partitions":[]}', 'Not supported version field value 2'],
    ['{"partitions":[{"topic":"t","partition":0,"replicas":[]}]}', 'Partition replica list cannot be empty'],
    ['{"partitions":[{"topic":"t","partition":"0","replicas":[1]}]}', 'Expected `Integer value` value, received "0"'],
    ['{"partitions":[{"topic":"t","replicas":[1]}]}', 'No such field exists: `partition`'],
    [
      '{"partitions":[{"topic":"t","partition":0,"replicas":[1]},{"topic":"t","partition":0,"replicas":[2]}]}',
      'Partition reassignment contains duplicate topic partitions: t-0',
    ],
    [
      '{"partitions":[{"topic":"t","partition":0,"replicas":[1,2],"log_dirs":["any"]}]}',
      'Size of replicas list List(1, 2) is different from size of log dirs list List(any) for partition t-0',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseExecutablePlan(text)).toThrow(message);
  });

  it('are proposed within the brokers named, as many replicas as before', () => {
    const current = [0, 1, 2].map((partition) => ({ topic: 't', partition, replicas: [1, 2] }));
    const brokers = [4, 5, 6].map((id) => ({ id, rack: null }));
    const proposed = proposeAssignments(current, brokers, new SeededRandom(1));
    expect(proposed.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    for (const { replicas } of proposed) {
      expect(new Set(replicas).size).toBe(2);
      expect(replicas.every((id) => id >= 4 && id <= 6)).toBe(true);
    }
  });

  it('throttle sources and destinations, those under way too', () => {
    const ongoing = new Map([['u-1', { replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] }]]);
    const proposed = [
      { topic: 't', partition: 0, replicas: [2, 3] },
      { topic: 'u', partition: 1, replicas: [4] },
    ];
    const moves = proposedMoves(ongoing, proposed, [{ topic: 't', partition: 0, replicas: [1, 2] }]);
    expect([...leaderThrottles(moves)]).toEqual([
      ['u', '1:1,1:2'],
      ['t', '0:1,0:2'],
    ]);
    expect([...followerThrottles(moves)]).toEqual([
      ['u', '1:4'],
      ['t', '0:3'],
    ]);
  });

  it('tell where replicas lie', () => {
    const move = { topic: 't', partition: 0, brokerId: 1, logDir: '/b' };
    const told = (current?: string, future?: string): string => describeMoves([{ move, current, future }]);
    expect(told()).toBe('Partition t-0 cannot be found in any live log directory on broker 1.');
    expect(told('/a', '/b')).toBe('Reassignment of replica t-0-1 is still in progress.');
    expect(told('/a', '/c')).toBe('Partition t-0 on broker 1 is being moved to log dir /c instead of /b.');
    expect(told('/b')).toBe('Reassignment of replica t-0-1 completed successfully.');
    expect(told('/a')).toBe('Partition t-0 on broker 1 is not being moved from log dir /a to /b.');
  });
});

describeWithReference(describe)('kafka-leader-election', () => {
  it.each(['no type'])('finds the mistake that the original finds: %s', async (name) => {
    const { argv, stderr } = captured('kafka-leader-election', name);
    const io = memoryIo();
    expect(await runWith(leaderElectionCommand, argv, io)).toBe(1);
    expect(io.stderr).toBe(`${/AdminCommandFailedException: (.*)/.exec(stderr)![1]!}\n`);
  });

  it.each([
    ['one not needed', Errors.ELECTION_NOT_NEEDED, undefined],
    ['unknown topic', Errors.UNKNOWN_TOPIC_OR_PARTITION, 'The partition does not exist.'],
    [
      'election without replicas',
      Errors.PREFERRED_LEADER_NOT_AVAILABLE,
      'Failed to elect leader for partition solo-0 under strategy PreferredReplicaPartitionLeaderElectionStrategy',
    ],
  ])('tells what came of it as the original does: %s', (name, entry, message) => {
    const { stdout, exit, argv } = captured('kafka-leader-election', name);
    const key = `${argv[argv.indexOf('--topic') + 1]}-0`;
    const io = memoryIo();
    const tell = (): void => {
      report('preferred', new Map([[key, new KafkaError(entry, message)]]), io);
    };
    if (exit === 0) tell();
    else expect(tell).toThrow('1 replica(s) could not be elected');
    expect(io.stdout).toBe(stdout);
  });
});

describe('files of partitions', () => {
  it('are read', () => {
    expect(parseElectionData('{"partitions":[{"topic":"t","partition":1}]}')).toEqual([{ topic: 't', partition: 1 }]);
    expect(parseOffsets('{"partitions":[{"topic":"t","partition":1,"offset":-1}]}')).toEqual([
      { topic: 't', partition: 1, offset: -1 },
    ]);
  });

  it.each([
    ['{}', 'Missing partitions field'],
    [
      '{"partitions":[{"topic":"t","partition":1,"offset":3},{"topic":"t","partition":1,"offset":4}]}',
      'Offset json file contains duplicate topic partitions: t-1',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseOffsets(text)).toThrow(message);
  });

  it('have to be there', async () => {
    const io = memoryIo();
    const argv = ['--bootstrap-server', '127.0.0.1:1', '--offset-json-file', '/nowhere.json'];
    expect(await runWith(deleteRecordsCommand, argv, io)).toBe(1);
    expect(io.stderr).toBe('/nowhere.json cannot be read (ENOENT)\n');
  });
});

describeWithReference(describe)('kafka-log-dirs', () => {
  it('formats what brokers tell as the original does', () => {
    const line = captured('kafka-log-dirs', 'describe').stdout.split('\n')[2]!;
    const replicas = [0, 1, 2].map((partition) => ({
      topic: 't1',
      partition,
      size: partition === 0 ? 93 : 0,
      offsetLag: 0,
      isFuture: false,
    }));
    const infos = [1, 2, 3].map((id) => [id, [{ path: `<log.dir-${id}>`, error: null, replicas }]] as const);
    expect(formatLogDirs(new Map(infos), ['t1'])).toBe(line);
    expect(formatLogDirs(new Map(infos), ['other'])).not.toContain('t1');
  });

  it('names the error of a log dir', () => {
    const error = new KafkaError(Errors.KAFKA_STORAGE_ERROR);
    expect(formatLogDirs(new Map([[1, [{ path: '/d', error, replicas: [] }]]]), [])).toBe(
      '{"version":1,"brokers":[{"broker":1,"logDirs":[{"logDir":"/d",' +
        '"error":"org.apache.kafka.common.errors.KafkaStorageException","partitions":[]}]}]}',
    );
  });

  it('wants --describe', async () => {
    const io = memoryIo();
    expect(await runWith(logDirsCommand, ['--bootstrap-server', '127.0.0.1:1'], io)).toBe(1);
    expect(io.stderr).toBe('Missing required argument "[describe]"\n');
  });
});
