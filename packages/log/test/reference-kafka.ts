import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';

const VERSION = '2.8.2';
const CACHE = join(homedir(), '.cache', 'klassic', `kafka-${VERSION}`);
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const FETCH_TIMEOUT_MS = 600_000;
const TOOL_TIMEOUT_MS = 60_000;
const LOG4J = [
  'log4j.rootLogger=WARN, stderr',
  'log4j.appender.stderr=org.apache.log4j.ConsoleAppender',
  'log4j.appender.stderr.target=System.err',
  'log4j.appender.stderr.layout=org.apache.log4j.PatternLayout',
  'log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n',
].join('\n');

export interface ToolResult {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The folder with Apache Kafka's jars: `KLASSIC_KAFKA_LIBS`, or a cache that Maven fills from Maven Central.
 * Undefined where there is no Java, or neither the jars nor Maven.
 */
export const kafkaLibs: string | undefined = findLibs();

/** Runs where the original can be run, else is skipped. */
export function describeWithKafka(name: string, tests: () => void): void {
  (kafkaLibs === undefined ? describe.skip : describe)(name, tests);
}

/** Runs one of the original's main classes to its end. @param input for its standard input */
export function runKafka(mainClass: string, args: readonly string[], input = ''): ToolResult {
  const { status, stdout, stderr } = spawnSync('java', [...javaArguments(), mainClass, ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: TOOL_TIMEOUT_MS,
  });
  return { exit: status, stdout, stderr };
}

/** Starts one of the original's servers. Whoever starts it ends it. */
export function startKafka(mainClass: string, args: readonly string[]): ChildProcess {
  return spawn('java', [...javaArguments(), mainClass, ...args], { stdio: ['ignore', 'ignore', 'ignore'] });
}

function javaArguments(): string[] {
  const log4j = join(CACHE, 'log4j.properties');
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(log4j)) writeFileSync(log4j, LOG4J);
  return ['-Xmx256m', `-Dlog4j.configuration=file:${log4j}`, '-cp', `${kafkaLibs ?? ''}/*`];
}

function findLibs(): string | undefined {
  if (!runs('java', '-version')) return undefined;
  const given = process.env['KLASSIC_KAFKA_LIBS'];
  if (given !== undefined) return given;
  const libs = join(CACHE, 'libs');
  if (existsSync(join(CACHE, '.complete'))) return libs;
  return runs('mvn', '-version') && fetchJars(libs) ? libs : undefined;
}

function runs(command: string, argument: string): boolean {
  return spawnSync(command, [argument], { stdio: 'ignore' }).status === 0;
}

/** Maven checks what it gets against the repository's checksums. */
function fetchJars(libs: string): boolean {
  mkdirSync(CACHE, { recursive: true });
  const pom = join(CACHE, 'pom.xml');
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  writeFileSync(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>klassic</groupId><artifactId>kafka-libs</artifactId><version>${VERSION}</version><dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', VERSION)}
${dependency('org.apache.kafka', 'kafka-tools', VERSION)}
${dependency('org.slf4j', 'slf4j-log4j12', '1.7.30')}
</dependencies></project>
`,
  );
  const args = ['-q', '-B', '-f', pom, PLUGIN, '-DincludeScope=runtime', `-DoutputDirectory=${libs}`];
  const { status } = spawnSync('mvn', args, { stdio: 'ignore', timeout: FETCH_TIMEOUT_MS });
  if (status !== 0) return false;
  writeFileSync(join(CACHE, '.complete'), '');
  return true;
}
