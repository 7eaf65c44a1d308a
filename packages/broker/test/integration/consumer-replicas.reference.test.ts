import { jest } from '@jest/globals';
import { apacheKafkaCommand, describeWithApacheKafka } from './apache-kafka.ts';
import { testConsumerOfReplicas } from './consumer-of-replicas.ts';

jest.setTimeout(300_000);

describeWithApacheKafka('brokers of Apache Kafka', () => {
  testConsumerOfReplicas({ command: apacheKafkaCommand() });
});
