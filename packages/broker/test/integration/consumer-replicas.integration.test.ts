import { jest } from '@jest/globals';
import { testConsumerOfReplicas } from './consumer-of-replicas.ts';

jest.setTimeout(120_000);

testConsumerOfReplicas({});
