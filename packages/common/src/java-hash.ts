/** `String.hashCode` of Java: some of Kafka's choices, and the order of some of its lists, go by it. */
export function stringHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0;
  return hash;
}

/** `hashCode` of Java's `TopicPartition`. */
export function topicPartitionHash(topic: string, partition: number): number {
  return (Math.imul(31, 31 + partition) + stringHash(topic)) | 0;
}
