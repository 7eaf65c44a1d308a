import { Producer } from '@klassic/client';
import type { ProducerOptions } from '@klassic/client';

/**
 * Sends records to a topic's first partition by a producer of its own, each when the one before is acknowledged.
 *
 * @returns their offsets
 */
export async function send(options: ProducerOptions, topic: string, ...values: readonly string[]): Promise<number[]> {
  const producer = new Producer({ enableIdempotence: false, ...options });
  try {
    const offsets: number[] = [];
    for (const value of values) {
      const { offset } = await producer.send({ topic, partition: 0, key: 'k', value });
      offsets.push(offset);
    }
    return offsets;
  } finally {
    await producer.close(0);
  }
}
