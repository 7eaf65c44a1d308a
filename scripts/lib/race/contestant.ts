import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerCommand } from '@klassic/lab';

/** Who races: both are started by a command that takes a server.properties and logs `server.log` into `$LOG_DIR`. */
export interface Contestant {
  readonly id: 'kafka' | 'klassic';
  readonly name: string;
  /** Runs one broker in front and is, or execs, the broker. */
  readonly command: string;
}

export function klassic(): Contestant {
  return { id: 'klassic', name: 'Klassic', command: brokerCommand() };
}

/** What kafka-server-start.sh of 2.8.2 gives the virtual machine by default. */
const serverFlags = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-XX:MaxInlineLevel=15',
  '-Djava.awt.headless=true',
  '"-Xlog:gc*:file=$LOG_DIR/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M"',
  '-Dcom.sun.management.jmxremote',
  '-Dcom.sun.management.jmxremote.authenticate=false',
  '-Dcom.sun.management.jmxremote.ssl=false',
];

/** The distribution's log4j.properties, except that the controller does not log at TRACE: neither contestant does. */
const log4j = `log4j.rootLogger=INFO, stdout, server
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.server=org.apache.log4j.DailyRollingFileAppender
log4j.appender.server.DatePattern='.'yyyy-MM-dd-HH
log4j.appender.server.File=\${kafka.logs.dir}/server.log
log4j.logger.kafka.request.logger=WARN
${['stdout', 'server']
  .map(
    (appender) => `log4j.appender.${appender}.layout=org.apache.log4j.PatternLayout
log4j.appender.${appender}.layout.ConversionPattern=[%d] %p %m (%c)%n`,
  )
  .join('\n')}
`;

/**
 * Apache Kafka 2.8.2 with its own default flags.
 *
 * @param folder takes its start script and its log4j.properties
 * @param libs the folder of its jars
 */
export function apacheKafka(java: string, libs: string, folder: string): Contestant {
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'log4j.properties');
  writeFileSync(properties, log4j);
  const command = join(folder, 'kafka-server-start');
  const flags = [...serverFlags, '"-Dkafka.logs.dir=$LOG_DIR"', `"-Dlog4j.configuration=file:${properties}"`].join(' ');
  writeFileSync(command, `#!/bin/sh\nexec "${java}" ${flags} -cp "${libs}/*" kafka.Kafka "$@"\n`);
  chmodSync(command, 0o755);
  return { id: 'kafka', name: 'Apache Kafka 2.8.2', command };
}
