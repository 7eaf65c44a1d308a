import { topicPartitionKey } from '@klassic/common';
import type { Admin } from '@klassic/client';
import { errorByCode, Errors, KafkaError } from '@klassic/protocol';
import type { ToolIo } from '../tool.ts';
import type { GroupArguments } from './group-arguments.ts';
import { tableLines } from './table.ts';
import { partitionsOf } from './topic-scope.ts';

/** `--delete-offsets`: makes a group forget topics that its members do not read (KIP-496). */
export async function deleteOffsets(admin: Admin, groupId: string, args: GroupArguments, io: ToolIo): Promise<void> {
  const partitions = await partitionsOf(admin, args.topic);
  let results: ReadonlyMap<string, number>;
  try {
    results = await admin.deleteGroupOffsets(groupId, partitions);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    io.out(`\nError: ${refusal(groupId, error)}\n`);
    return;
  }
  const refused = [...results.values()].some((code) => code !== Errors.NONE.code);
  io.out(
    refused
      ? '\nError: Encounter some partition level error, see the follow-up details:\n'
      : `Request succeed for deleting offsets with topic ${args.topic.join(', ')} group ${groupId}\n`,
  );
  const rows = partitions
    .map(({ topic, partition }) => ({ topic, partition, code: results.get(topicPartitionKey(topic, partition))! }))
    .sort((one, other) => (`${one.topic}${one.partition}` < `${other.topic}${other.partition}` ? -1 : 1));
  type Row = (typeof rows)[number];
  const columns = [
    { heading: 'TOPIC', width: 30, value: ({ topic }: Row) => topic },
    { heading: 'PARTITION', width: 15, value: ({ partition }: Row) => String(partition) },
    {
      heading: 'STATUS',
      width: 15,
      value: ({ code }: Row) => (code === Errors.NONE.code ? 'Successful' : `Error: ${errorByCode(code).message}`),
    },
  ];
  io.out(`\n${tableLines(columns, rows, true).join('\n')}\n`);
}

function refusal(groupId: string, { error, message }: KafkaError): string {
  switch (error) {
    case Errors.INVALID_GROUP_ID:
      return `'${groupId}' is not valid.`;
    case Errors.GROUP_ID_NOT_FOUND:
      return `'${groupId}' does not exist.`;
    case Errors.GROUP_AUTHORIZATION_FAILED:
      return `Access to '${groupId}' is not authorized.`;
    case Errors.NON_EMPTY_GROUP:
      return `Deleting offsets of a consumer group '${groupId}' is forbidden if the group is not empty.`;
    default:
      return `Encounter some unknown error: ${message}`;
  }
}
