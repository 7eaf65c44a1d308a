import { KafkaError } from '@klassic/protocol';

const PACKAGE = 'org.apache.kafka.common.errors';

/** The Java class of what a broker refused, as the original's tools name it. */
export function javaClass(error: Error): string {
  return error instanceof KafkaError && error.error.exception !== null
    ? `${PACKAGE}.${error.error.exception}`
    : `${PACKAGE}.${error.name.replace(/Error$/, 'Exception')}`;
}

/** An error as Java prints it: class and message. */
export function javaText(error: Error): string {
  return `${javaClass(error)}: ${error.message}`;
}
