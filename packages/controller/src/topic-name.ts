import { Errors, KafkaError } from '@klassic/protocol';

const MAX_NAME_LENGTH = 249;

/** @throws KafkaError INVALID_TOPIC_EXCEPTION when Kafka does not allow the name (`Topic.validate`) */
export function validateTopicName(topic: string): void {
  if (topic === '') throw invalid("Topic name is illegal, it can't be empty");
  if (topic === '.' || topic === '..') throw invalid('Topic name cannot be "." or ".."');
  if (topic.length > MAX_NAME_LENGTH) {
    throw invalid(`Topic name is illegal, it can't be longer than ${MAX_NAME_LENGTH} characters, topic name: ${topic}`);
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(topic)) {
    throw invalid(
      `Topic name "${topic}" is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'`,
    );
  }
}

/** Topics whose names differ only in dots and underscores would share the names of their metrics. */
export function topicNamesCollide(a: string, b: string): boolean {
  return a.replaceAll('.', '_') === b.replaceAll('.', '_');
}

/** Whether the name could collide with another. */
export function hasCollisionChars(topic: string): boolean {
  return topic.includes('_') || topic.includes('.');
}

function invalid(message: string): KafkaError {
  return new KafkaError(Errors.INVALID_TOPIC_EXCEPTION, message);
}
