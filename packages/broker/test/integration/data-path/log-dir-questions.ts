import { join } from 'node:path';
import type { TestBroker } from '@klassic/test-support';
import { ask } from './question.ts';
import type { Question } from './question.ts';

/** What is asked of DescribeLogDirs and AlterReplicaLogDirs; the folder is the broker's. */
export function logDirs(broker: TestBroker): Question[] {
  const questions: Question[] = [];
  for (let version = 0; version <= 2; version += 1) {
    for (const asked of [
      null,
      [],
      [{ topic: 'plain', partitionIndex: [0, 2, 9] }],
      [{ topic: 'nowhere', partitionIndex: [0] }],
    ]) {
      questions.push(ask(JSON.stringify(asked), 'DescribeLogDirs', version, { topics: asked }));
    }
    const alter = (what: string, ...dirs: [string, string, number[]][]): Question =>
      ask(what, 'AlterReplicaLogDirs', version, {
        dirs: dirs.map(([path, name, partitions]) => ({ path, topics: [{ name, partitions }] })),
      });
    const dir = join(broker.folder, 'data-1');
    questions.push(
      alter('a dir that is none', ['/nowhere', 'plain', [0]]),
      alter('a relative dir', ['data-1', 'plain', [0]]),
      alter('unknown ones', [dir, 'nowhere', [0]], [dir, 'plain', [9, -1]]),
      alter('a name too long', [dir, 'x'.repeat(249), [0]]),
      alter('two dirs for one', ['/nowhere', 'plain', [0]], [dir, 'plain', [0]]),
      alter('nothing'),
      alter('three partitions', [dir, 'plain', [0, 1, 2]]),
    );
  }
  return questions;
}
