import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { LATEST_TIMESTAMP } from '@klassic/client';
import type { Admin, CommittedOffset, GroupDescription, GroupMemberDescription } from '@klassic/client';
import type { ToolIo } from '../tool.ts';
import { tableLines, widthOf } from './table.ts';

const LEAST = 15;
const MISSING = '-';

interface OffsetRow extends TopicPartition {
  readonly committed: number | undefined;
  readonly end: number | undefined;
  readonly member: GroupMemberDescription | undefined;
}

/**
 * Says what state a group without a table is in.
 *
 * @returns false when there is nothing to show
 */
export function checkState(group: GroupDescription, io: ToolIo, rows: number): boolean {
  const name = `Consumer group '${group.groupId}'`;
  if (group.state === 'Dead') io.out(`\nError: ${name} does not exist.\n`);
  else if (group.state === 'Empty') io.err(`\n${name} has no active members.\n`);
  else if (group.state === 'PreparingRebalance' || group.state === 'CompletingRebalance') {
    io.err(`\nWarning: ${name} is rebalancing.\n`);
  }
  return group.state !== 'Dead' && rows > 0;
}

/** `--describe` (or `--offsets`): where a group stands in each partition. */
export async function describeOffsets(admin: Admin, group: GroupDescription, io: ToolIo): Promise<void> {
  const committed =
    group.state === 'Dead' ? new Map<string, CommittedOffset>() : await admin.listGroupOffsets(group.groupId);
  const owners = new Map<string, GroupMemberDescription>();
  const partitions = new Map<string, TopicPartition>(committed);
  for (const member of group.members) {
    for (const { topic, partition } of member.assignment) {
      owners.set(topicPartitionKey(topic, partition), member);
      partitions.set(topicPartitionKey(topic, partition), { topic, partition });
    }
  }
  const ends = await endOffsets(admin, [...partitions.values()]);
  const rows: OffsetRow[] = [...partitions.entries()]
    .map(([key, { topic, partition }]) => ({
      topic,
      partition,
      committed: committed.get(key)?.offset,
      end: ends.get(key),
      member: owners.get(key),
    }))
    .sort((one, other) => compare(one.topic, other.topic) || one.partition - other.partition);
  if (!checkState(group, io, rows.length)) return;
  const idle = group.members.filter(({ assignment }) => assignment.length === 0);
  const columns = offsetColumns(group, rows, idle);
  const idleRows = idle.map((member) => ({
    topic: MISSING,
    partition: -1,
    committed: undefined,
    end: undefined,
    member,
  }));
  io.out(`\n${tableLines(columns, [...rows, ...idleRows], false).join('\n')}\n`);
}

function offsetColumns(group: GroupDescription, rows: readonly OffsetRow[], idle: readonly GroupMemberDescription[]) {
  const shown = (value: number | undefined): string => (value === undefined ? MISSING : String(value));
  const lag = ({ committed, end }: OffsetRow): string =>
    shown(committed === undefined || end === undefined ? undefined : end - committed);
  const memberIds = [...rows.map(({ member }) => member?.memberId ?? MISSING), ...idle.map(({ memberId }) => memberId)];
  return [
    { heading: 'GROUP', width: widthOf([group.groupId], LEAST), value: () => group.groupId },
    {
      heading: 'TOPIC',
      width: widthOf(
        rows.map(({ topic }) => topic),
        LEAST,
      ),
      value: (row: OffsetRow) => row.topic,
    },
    {
      heading: 'PARTITION',
      width: 10,
      value: (row: OffsetRow) => (row.partition < 0 ? MISSING : String(row.partition)),
    },
    { heading: 'CURRENT-OFFSET', width: 15, value: (row: OffsetRow) => shown(row.committed) },
    { heading: 'LOG-END-OFFSET', width: 15, value: (row: OffsetRow) => shown(row.end) },
    { heading: 'LAG', width: 15, value: lag },
    {
      heading: 'CONSUMER-ID',
      width: widthOf(memberIds, LEAST),
      value: (row: OffsetRow) => row.member?.memberId ?? MISSING,
    },
    { heading: 'HOST', width: 15, value: (row: OffsetRow) => row.member?.host ?? MISSING },
    { heading: 'CLIENT-ID', width: 15, value: (row: OffsetRow) => row.member?.clientId ?? MISSING },
  ];
}

/** `--describe --members`. */
export function describeMembers(group: GroupDescription, io: ToolIo, verbose: boolean): void {
  if (!checkState(group, io, group.members.length)) return;
  const members = [...group.members].sort((one, other) => other.assignment.length - one.assignment.length);
  const columns = [
    { heading: 'GROUP', width: widthOf([group.groupId], LEAST), value: () => group.groupId },
    {
      heading: 'CONSUMER-ID',
      width: widthOf(
        members.map(({ memberId }) => memberId),
        LEAST,
      ),
      value: (member: GroupMemberDescription) => member.memberId,
    },
    { heading: 'HOST', width: 15, value: (member: GroupMemberDescription) => member.host },
    {
      heading: 'CLIENT-ID',
      width: widthOf(
        members.map(({ clientId }) => clientId),
        LEAST,
      ),
      value: (member: GroupMemberDescription) => member.clientId,
    },
    { heading: '#PARTITIONS', width: 15, value: (member: GroupMemberDescription) => String(member.assignment.length) },
  ];
  const assignment = { heading: 'ASSIGNMENT', width: 0, value: assignmentText };
  const lines = tableLines(verbose ? [...columns, assignment] : columns, members, true);
  io.out(`\n${lines.join('\n')}\n`);
}

/** `--describe --state`. */
export function describeState(group: GroupDescription, io: ToolIo): void {
  if (!checkState(group, io, 1)) return;
  const { groupId, coordinator, assignor, state, members } = group;
  const place = `${coordinator.host}:${coordinator.port} (${coordinator.id})`;
  const columns = [
    { heading: 'GROUP', width: widthOf([groupId], 25), value: () => groupId },
    { heading: 'COORDINATOR (ID)', width: widthOf([place], 25), value: () => place },
    { heading: 'ASSIGNMENT-STRATEGY', width: 20, value: () => assignor },
    { heading: 'STATE', width: 15, value: () => state },
    { heading: '#MEMBERS', width: 0, value: () => String(members.length) },
  ];
  io.out(`\n${tableLines(columns, [group], false).join('\n')}\n`);
}

/** `t1(0,1,2), t2(0,1)` */
function assignmentText({ assignment }: GroupMemberDescription): string {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of assignment) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  if (byTopic.size === 0) return MISSING;
  return [...byTopic]
    .sort(([one], [other]) => compare(one, other))
    .map(([topic, partitions]) => `${topic}(${partitions.sort((one, other) => one - other).join(',')})`)
    .join(', ');
}

/** Ends of logs of partitions that still exist and have a leader. */
async function endOffsets(admin: Admin, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
  if (partitions.length === 0) return new Map();
  const led = new Set(
    (await admin.listTopics()).flatMap((topic) =>
      topic.partitions
        .filter(({ leader }) => leader >= 0)
        .map(({ partition }) => topicPartitionKey(topic.name, partition)),
    ),
  );
  const queries = partitions
    .filter(({ topic, partition }) => led.has(topicPartitionKey(topic, partition)))
    .map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST_TIMESTAMP }));
  return new Map([...(await admin.listOffsets(queries))].map(([key, { offset }]) => [key, offset]));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
