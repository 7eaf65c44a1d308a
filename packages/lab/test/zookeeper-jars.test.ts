import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fetchZooKeeperJars, zooKeeperJars } from '../src/zookeeper/jars.ts';
import { freePort } from '../src/ports.ts';

describe('fetchZooKeeperJars', () => {
  let folder: string;
  let server: Server;
  let repository: string;
  let asked: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'klassic-jars-'));
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url!);
      response.end('not a jar');
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    repository = `http://127.0.0.1:${port}/maven2`;
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('asks for each jar by its path, and keeps nothing of another checksum', async () => {
    writeFileSync(join(folder, 'zookeeper-jute-3.9.5.jar'), 'damaged');
    const lines: string[] = [];
    await expect(fetchZooKeeperJars(folder, (line) => lines.push(line), repository)).rejects.toThrow(
      /has not the expected checksum: it was not used$/,
    );
    expect(asked).toContain(`/maven2/${zooKeeperJars[0]!.path}`);
    expect(readdirSync(folder)).toEqual(['zookeeper-jute-3.9.5.jar']);
    expect(lines[0]).toMatch(/^fetching ZooKeeper 3\.9\.\d+ from http/);
  });

  it('says in one line that the repository cannot be reached, and what to do', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    await expect(fetchZooKeeperJars(folder, () => undefined, nobody)).rejects.toThrow(
      /could not be downloaded .*--zookeeper host:port, or a mirror of Maven Central in KLASSIC_MAVEN$/,
    );
  });
});
