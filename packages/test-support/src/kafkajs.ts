import { Kafka, logLevel, PartitionAssigners } from 'kafkajs';
import type { PartitionAssigner } from 'kafkajs';

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

export interface KafkaJsOptions {
  readonly clientId?: string;
  /** Takes what the client complains of, a line each; default: nobody. */
  readonly onTrouble?: (line: string) => void;
}

/** An unmodified kafkajs client with retries quick enough for tests of a failover (half a second at most, for over a minute). */
export function kafkaJs(bootstrapServers: readonly string[], options: KafkaJsOptions = {}): Kafka {
  return new Kafka({
    clientId: options.clientId ?? 'klassic-test',
    brokers: [...bootstrapServers],
    retry: { retries: 200, initialRetryTime: 100, maxRetryTime: 500 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      const { message, ...extra } = entry.log;
      const error: unknown = extra['error'];
      options.onTrouble?.(typeof error === 'string' ? `${message}: ${error}` : message);
    },
  });
}

/** kafkajs's own assignor under the name that the other clients give to theirs of the same kind: for groups with them. */
export const kafkaJsRoundRobin: PartitionAssigner = (config) => ({
  ...PartitionAssigners.roundRobin(config),
  name: 'roundrobin',
});
