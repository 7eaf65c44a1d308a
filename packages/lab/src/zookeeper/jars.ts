import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LabError, messageOf } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';

/** The release of Apache ZooKeeper the lab runs by Java. */
export const zooKeeperVersion = '3.9.5';

/** Where the jars come from; `KLASSIC_MAVEN` names a mirror laid out the same way. */
const mavenCentral = 'https://repo1.maven.org/maven2';

interface Jar {
  /** Path below the repository's root. */
  readonly path: string;
  readonly sha256: string;
}

/**
 * What a ZooKeeper server needs when it runs: the versions are those of ZooKeeper's own parent POM.
 * Netty is left out: the default connection factory is NIO's, and TLS is not used here.
 */
export const zooKeeperJars: readonly Jar[] = [
  {
    path: `org/apache/zookeeper/zookeeper/${zooKeeperVersion}/zookeeper-${zooKeeperVersion}.jar`,
    sha256: '936d025db1a85f085edea25048c3f5b3de5fc29329c371a10925e3b78b0b38a0',
  },
  {
    path: `org/apache/zookeeper/zookeeper-jute/${zooKeeperVersion}/zookeeper-jute-${zooKeeperVersion}.jar`,
    sha256: 'abcbc7f9d6c493daa118da6fa3061a201e2c521217526e8535adfb56b629e52a',
  },
  {
    path: 'org/slf4j/slf4j-api/2.0.13/slf4j-api-2.0.13.jar',
    sha256: 'e7c2a48e8515ba1f49fa637d57b4e2f590b3f5bd97407ac699c3aa5efb1204a9',
  },
  {
    path: 'ch/qos/logback/logback-classic/1.3.15/logback-classic-1.3.15.jar',
    sha256: '06c68fb7468143c3c6512d13bb8eb6676724b019330de3a5ab493e267dde2084',
  },
  {
    path: 'ch/qos/logback/logback-core/1.3.15/logback-core-1.3.15.jar',
    sha256: '90b72ec457f30f8f42a280a409ab2bc4499fec16983005d1d91015199be7047b',
  },
  {
    path: 'io/dropwizard/metrics/metrics-core/4.1.12.1/metrics-core-4.1.12.1.jar',
    sha256: 'cec34936faa625039f4e46123eccaa10a9eb9d9a40c6075830cd81330e259cf9',
  },
  {
    path: 'org/xerial/snappy/snappy-java/1.1.10.5/snappy-java-1.1.10.5.jar',
    sha256: '0f3f1857ed33116583f480b4df5c0218836c47bfbc9c6221c0d73f356decf37b',
  },
  {
    path: 'commons-io/commons-io/2.17.0/commons-io-2.17.0.jar',
    sha256: '4aa4ca48f3dfd30b78220b7881d8cb93eac4093ec94361b6befa9487998a550b',
  },
];

/**
 * Makes sure that the jars lie in `folder`, each of the checksum pinned here, and downloads what is missing.
 *
 * @throws LabError when the repository cannot be reached or gives something else
 */
export async function fetchZooKeeperJars(
  folder: string,
  progress: Progress,
  repository: string = process.env['KLASSIC_MAVEN'] ?? mavenCentral,
): Promise<void> {
  const missing: Jar[] = [];
  for (const jar of zooKeeperJars) if (!(await isGood(join(folder, basename(jar.path)), jar.sha256))) missing.push(jar);
  if (missing.length === 0) return;
  mkdirSync(folder, { recursive: true });
  progress(`fetching ZooKeeper ${zooKeeperVersion} from ${repository} (${missing.length} jars, kept in ${folder})`);
  let done = 0;
  await Promise.all(
    missing.map(async (jar) => {
      const bytes = await download(`${repository}/${jar.path}`);
      if (sha256(bytes) !== jar.sha256) {
        throw new LabError(`${repository}/${jar.path} has not the expected checksum: it was not used`);
      }
      const target = join(folder, basename(jar.path));
      // Renaming makes it whole or absent, also when two labs fetch at once.
      writeFileSync(`${target}.${process.pid}`, bytes);
      renameSync(`${target}.${process.pid}`, target);
      done += 1;
      progress(`  ${basename(jar.path)} (${Math.ceil(bytes.length / 1024)} KiB), ${done} of ${missing.length}`);
    }),
  );
}

async function isGood(file: string, checksum: string): Promise<boolean> {
  return existsSync(file) && sha256(await readFile(file)) === checksum;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function download(url: string): Promise<Buffer> {
  const attempts = 3;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      if (attempt < attempts) continue;
      const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
      throw new LabError(
        `${url} could not be downloaded (${messageOf(error)}${cause}); ` +
          'name a running ZooKeeper with --zookeeper host:port, or a mirror of Maven Central in KLASSIC_MAVEN',
      );
    }
  }
}
