import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheHome } from '@klassic/lab';

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const FETCH_TIMEOUT_MS = 600_000;

/** The releases that Klassic is compared with, each with the log4j binding of its own distribution. */
const loggers = { '2.8.2': 'slf4j-log4j12:1.7.30', '3.9.1': 'slf4j-reload4j:1.7.36' } as const;

/** A release of Apache Kafka: 2.8.2 is the one Klassic is held to, 3.9.1 the one whose clients race. */
export type KafkaRelease = keyof typeof loggers;

/**
 * The folder with the jars of a release and of what it needs: a cache (`KLASSIC_CACHE`) that Maven fills from Maven
 * Central and checks by the repository's checksums, or for 2.8.2 the folder that `KLASSIC_KAFKA_LIBS` names.
 *
 * @throws Error in one line where they are not there and Maven is not, or cannot get them
 */
export async function kafkaJars(release: KafkaRelease, progress: (line: string) => void): Promise<string> {
  const given = process.env['KLASSIC_KAFKA_LIBS'];
  if (release === '2.8.2' && given !== undefined) return given;
  const home = join(cacheHome(), `kafka-${release}`);
  const libs = join(home, 'libs');
  if (existsSync(join(home, '.complete'))) return libs;
  if (!hasMaven()) throw new Error(`Maven (mvn) is needed to fetch the jars of Apache Kafka ${release}: install it`);
  progress(`fetching the jars of Apache Kafka ${release} by Maven (once, kept in ${libs})`);
  mkdirSync(home, { recursive: true });
  const pom = join(home, 'pom.xml');
  writeFileSync(pom, pomOf(release));
  const args = ['-q', '-B', '-f', pom, PLUGIN, '-DincludeScope=runtime', `-DoutputDirectory=${libs}`];
  try {
    await promisify(execFile)('mvn', args, { timeout: FETCH_TIMEOUT_MS });
  } catch (error) {
    const said = String((error as { stdout?: string }).stdout).split('\n');
    const complaint = said.find((line) => line.includes('ERROR')) ?? 'no answer';
    throw new Error(`Maven could not fetch Apache Kafka ${release}: ${complaint}`, { cause: error });
  }
  writeFileSync(join(home, '.complete'), '');
  return libs;
}

function hasMaven(): boolean {
  try {
    execFileSync('mvn', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    // The command is missing or has no Java to run on: either way it is of no use.
    return false;
  }
}

function pomOf(release: KafkaRelease): string {
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  const [binding, bindingVersion] = loggers[release].split(':') as [string, string];
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>klassic</groupId><artifactId>kafka-libs</artifactId><version>${release}</version><dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', release)}
${dependency('org.apache.kafka', 'kafka-tools', release)}
${dependency('org.slf4j', binding, bindingVersion)}
</dependencies></project>
`;
}
