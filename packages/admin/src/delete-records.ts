import { Admin } from '@klassic/client';
import { inHashOrder, topicPartitionHash, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { parseArguments, requireOptions, required } from './arguments.ts';
import { clientOptions, readProperties } from './client-settings.ts';
import { javaText } from './java-text.ts';
import { duplicates, JsonObject, PartitionFileError, readTextFile } from './partition-file.ts';
import { UsageError } from './tool.ts';
import type { Tool } from './tool.ts';

const options = {
  'bootstrap-server': 'string',
  'command-config': 'string',
  'offset-json-file': 'string',
} as const;

interface RecordsToDelete extends TopicPartition {
  /** Exclusive. */
  readonly offset: number;
}

/** kafka-delete-records: moves log start offsets up. Counterpart of `kafka.admin.DeleteRecordsCommand`. */
export const deleteRecordsCommand: Tool = async (argv, io) => {
  const args = parseArguments(argv, options);
  requireOptions(args.given, 'bootstrap-server', 'offset-json-file');
  const before = parseOffsets(readTextFile(required(args['offset-json-file'], 'offset-json-file')));
  const settings =
    args['command-config'] === undefined ? new Map<string, string>() : readProperties(args['command-config']);
  const admin = new Admin(clientOptions(required(args['bootstrap-server'], 'bootstrap-server'), settings));
  try {
    io.out('Executing records delete operation\n');
    const results = await Promise.all(before.map((records) => deleteRecords(admin, records)));
    io.out('Records delete operation completed:\n');
    const order = inHashOrder([...before.keys()], (at) => topicPartitionHash(before[at]!.topic, before[at]!.partition));
    for (const at of order) {
      const { topic, partition } = before[at]!;
      io.out(`partition: ${topicPartitionKey(topic, partition)}\t${results[at]!}\n`);
    }
    return 0;
  } finally {
    admin.close();
  }
};

async function deleteRecords(admin: Admin, records: RecordsToDelete): Promise<string> {
  const key = topicPartitionKey(records.topic, records.partition);
  try {
    const topic = (await admin.listTopics()).find(({ name }) => name === records.topic);
    if (topic?.partitions[records.partition] === undefined) throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    const lowWatermarks = await admin.deleteRecords([records]);
    return `low_watermark: ${lowWatermarks.get(key)}`;
  } catch (error) {
    return `error: ${javaText(error as Error)}`;
  }
}

/**
 * Reads `{"partitions":[{"topic":"t","partition":0,"offset":3}],"version":1}`.
 *
 * @throws UsageError
 */
export function parseOffsets(text: string): RecordsToDelete[] {
  try {
    const file = JsonObject.parse(text);
    const version = file.has('version') ? file.number('version') : 1;
    if (version !== 1) throw new PartitionFileError(`Not supported version field value ${version}`);
    if (!file.has('partitions')) throw new PartitionFileError('Missing partitions field');
    const before = file.objects('partitions').map((entry) => ({
      topic: entry.string('topic'),
      partition: entry.number('partition'),
      offset: entry.number('offset'),
    }));
    const twice = duplicates(before.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
    if (twice.length > 0) {
      throw new PartitionFileError(`Offset json file contains duplicate topic partitions: ${twice.join(',')}`);
    }
    return before;
  } catch (error) {
    if (error instanceof PartitionFileError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
