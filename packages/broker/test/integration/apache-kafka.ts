import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { temporaryFolder } from '@klassic/test-support';

/** Where the jars of Apache Kafka 2.8.2 lie: `KLASSIC_KAFKA_LIBS`, or the cache that the reference tests of the log fill. */
function kafkaLibs(): string {
  return process.env['KLASSIC_KAFKA_LIBS'] ?? join(homedir(), '.cache', 'klassic', 'kafka-2.8.2', 'libs');
}

function canRunKafka(): boolean {
  return existsSync(kafkaLibs()) && spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;
}

/** Runs where the original can be run, else is skipped with a line that says why. */
export function describeWithApacheKafka(name: string, tests: () => void): void {
  if (canRunKafka()) {
    describe(name, tests);
    return;
  }
  process.stderr.write(
    `${name}: skipped, as there is no Java runtime or no folder ${kafkaLibs()} with Kafka's jars (KLASSIC_KAFKA_LIBS)\n`,
  );
  describe.skip(name, tests);
}

/**
 * Writes the command that runs one broker of Apache Kafka in front, by the contract of scripts/kafka-server-start: given a
 * server.properties, logging into `$LOG_DIR/server.log`.
 *
 * @returns its path
 */
export function apacheKafkaCommand(): string {
  const folder = temporaryFolder('apache-kafka');
  const command = join(folder, 'kafka-server-start');
  writeFileSync(
    command,
    `#!/usr/bin/env bash
cat > "$LOG_DIR/log4j.properties" <<END
log4j.rootLogger=INFO, server
log4j.appender.server=org.apache.log4j.FileAppender
log4j.appender.server.File=$LOG_DIR/server.log
log4j.appender.server.layout=org.apache.log4j.PatternLayout
log4j.appender.server.layout.ConversionPattern=[%d] %p %m (%c)%n
END
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC \\
  -Dlog4j.configuration="file:$LOG_DIR/log4j.properties" -cp "${kafkaLibs()}/*" kafka.Kafka "$@"
`,
  );
  chmodSync(command, 0o755);
  return command;
}
