import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Histogram, silentLogger } from '@klassic/common';
import type { NetworkRequest, RequestTimings } from '@klassic/network';
import type { ApiName } from '@klassic/protocol';
import { HttpServer } from '../../src/metrics/http-server.ts';
import {
  BrokerTopicStats,
  IdlePercent,
  metricDefinitions,
  prometheusExporter,
  RequestChannelMetrics,
} from '../../src/metrics/index.ts';
import type { Page } from '../../src/metrics/index.ts';

const timings: RequestTimings = {
  totalTimeMs: 21,
  requestQueueTimeMs: 1,
  localTimeMs: 2,
  remoteTimeMs: 3,
  throttleTimeMs: 4,
  responseQueueTimeMs: 5,
  sendTimeMs: 6,
};

function request(api: ApiName, apiVersion: number, body: object = {}): NetworkRequest {
  return { api, header: { apiVersion }, body, sizeInBytes: 100 } as unknown as NetworkRequest;
}

describe('RequestChannelMetrics', () => {
  it('counts requests by version, answers by error wherever it stands, and all phases', () => {
    const metrics = new RequestChannelMetrics();
    metrics.update(
      request('Produce', 9),
      { responses: [{ name: 't', partitionResponses: [{ errorCode: 0 }, { errorCode: 6 }, { errorCode: 6 }] }] },
      timings,
    );
    metrics.update(request('Produce', 8), null, timings);
    const produce = metrics.byName.get('Produce')!;
    expect([...produce.requests]).toEqual([
      [9, 1],
      [8, 1],
    ]);
    expect([...produce.errors]).toEqual([
      [0, 1],
      [6, 2],
    ]);
    const median = Object.entries(produce.times).map(([phase, times]) => [
      phase,
      Math.floor(times.snapshot().quantile(0.5)),
    ]);
    expect(Object.fromEntries(median)).toEqual({
      totalTimeMs: 21,
      requestQueueTimeMs: 1,
      localTimeMs: 2,
      remoteTimeMs: 3,
      throttleTimeMs: 4,
      responseQueueTimeMs: 5,
      responseSendTimeMs: 6,
    });
    expect(produce.requestBytes.count).toBe(2);
  });

  it('tells followers from consumers, and does not look into records for errors', () => {
    const metrics = new RequestChannelMetrics();
    const answer = {
      errorCode: 0,
      responses: [{ partitionResponses: [{ errorCode: 1, recordSet: Buffer.alloc(64) }] }],
    };
    metrics.update(request('Fetch', 11, { replicaId: 2 }), answer, timings);
    metrics.update(request('Fetch', 11, { replicaId: -1 }), answer, timings);
    expect([...metrics.byName].map(([name, { times }]) => [name, times.totalTimeMs.count])).toEqual([
      ['Fetch', 2],
      ['FetchFollower', 1],
      ['FetchConsumer', 1],
    ]);
    expect([...metrics.byName.get('Fetch')!.errors]).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });
});

describe('BrokerTopicStats', () => {
  it('keeps in the sum what a removed topic has counted', () => {
    const stats = new BrokerTopicStats();
    stats.topic('a').bytesIn += 10;
    stats.topic('b').bytesIn += 1;
    stats.topicOrOthers('unknown').failedProduceRequests += 1;
    stats.remove('a');
    stats.remove('never there');
    expect([...stats.topics.keys()]).toEqual(['b']);
    expect(stats.all()).toMatchObject({ bytesIn: 11, failedProduceRequests: 1 });
  });
});

describe('IdlePercent', () => {
  it('is the idle share of the last twelve ticks', () => {
    let busyMs = 0;
    const idle = new IdlePercent(() => busyMs, 0);
    expect(idle.value(0)).toBe(1);
    busyMs = 4_000;
    expect(idle.value(5_000)).toBeCloseTo(0.2);
    for (let tick = 1; tick <= 12; tick += 1) idle.tick(tick * 5_000);
    // The oldest look is now that of the first tick, when the work was done.
    expect(idle.value(60_000)).toBe(1);
    busyMs += 6_000;
    expect(idle.value(65_000)).toBeCloseTo(0.9);
  });
});

describe('prometheusExporter', () => {
  it('collects once a scrape, and shows the figures of that moment', async () => {
    let collected = 0;
    const histogram = new Histogram();
    const exporter = await prometheusExporter([
      (sink) => {
        collected += 1;
        histogram.update(7);
        sink.put('kafka_server_replicamanager_isrshrinks_total', 3);
        sink.put('kafka_server_replicamanager_leadercount', collected);
        if (collected === 1) sink.put('kafka_log_log_size', 5, { topic: 'gone', partition: 0 });
        sink.putHistogram('kafka_network_requestmetrics_totaltimems', histogram, { request: 'Produce' });
      },
    ]);
    const first = await exporter.scrape();
    expect(first).toContain('kafka_log_log_size{topic="gone",partition="0"} 5\n');
    const second = await exporter.scrape();
    expect(collected).toBe(2);
    expect(second).toContain('kafka_server_replicamanager_isrshrinks_total 3\n');
    expect(second).toContain('kafka_server_replicamanager_leadercount 2\n');
    expect(second).not.toContain('gone');
    expect(second).toContain('# TYPE kafka_network_requestmetrics_totaltimems gauge\n');
    expect(second).toContain('kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.99"} 7\n');
    expect(second).toContain('kafka_network_requestmetrics_totaltimems_count{request="Produce"} 2\n');
    expect(second).toMatch(/^process_cpu_seconds_total \d/m);
  });
});

describe('docs/metrics.md', () => {
  it('has every metric with its type, labels and meaning, and no other', () => {
    const text = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = text.slice(text.indexOf('## All of them')).matchAll(/^\| `(.*)` \| (.*) \| (.*) \| (.*) \|$/gm);
    const documented = [...rows].map(([, name, type, labels, help]) => [name, type, labels, help]);
    expect(documented).toEqual(
      Object.entries(metricDefinitions).map(([name, { type, labels, help }]) => [name, type, labels.join(', '), help]),
    );
  });

  it('names no metric that is not there', () => {
    const text = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    for (const [name] of text.matchAll(/kafka_[a-z_]+[a-z](?![a-z_]*…)/g)) {
      const known = Object.keys(metricDefinitions).some((each) => each === name || each.startsWith(name));
      if (!known) throw new Error(`docs/metrics.md names ${name}`);
    }
  });
});

describe('HttpServer', () => {
  const servers: HttpServer[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.stop();
  });

  async function serve(pages: Record<string, () => Page | Promise<Page>>): Promise<HttpServer> {
    const server = new HttpServer({
      host: '127.0.0.1',
      port: 0,
      pages: new Map(Object.entries(pages)),
      logger: silentLogger,
    });
    servers.push(server);
    await server.start();
    return server;
  }

  function ask(
    { port }: HttpServer,
    path: string,
    method = 'GET',
  ): Promise<{ status: number; body: string; headers: IncomingHttpHeaders }> {
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({
            status: response.statusCode!,
            body: Buffer.concat(chunks).toString(),
            headers: response.headers,
          });
        });
      });
      asked.on('error', reject).end();
    });
  }

  const page = { contentType: 'text/plain', body: 'grün' };

  it('serves its pages, by GET and by HEAD, whatever stands after the question mark', async () => {
    const server = await serve({ '/metrics': () => page });
    expect(await ask(server, '/metrics?name=x')).toMatchObject({
      status: 200,
      body: 'grün',
      headers: { 'content-length': '5', 'content-type': 'text/plain' },
    });
    expect(await ask(server, '/metrics', 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it('names the pages there are to who asks for another', async () => {
    const server = await serve({ '/metrics': () => page, '/state': () => page });
    expect(await ask(server, '/')).toMatchObject({ status: 404, body: 'no such page; there are: /metrics /state\n' });
  });

  it('refuses other methods, and survives a page that fails', async () => {
    const server = await serve({
      '/bad': () => {
        throw new Error('a fault');
      },
      '/good': () => page,
    });
    expect(await ask(server, '/good', 'POST')).toMatchObject({ status: 405 });
    expect(await ask(server, '/bad')).toMatchObject({ status: 500, body: 'error\n' });
    expect(await ask(server, '/good')).toMatchObject({ status: 200 });
  });

  it('hangs up on a 33rd connection', async () => {
    const server = await serve({ '/good': () => page });
    const open = await Promise.all(
      Array.from({ length: 32 }, () => {
        const socket = connect({ host: '127.0.0.1', port: server.port });
        return new Promise<typeof socket>((resolve) => socket.once('connect', () => resolve(socket)));
      }),
    );
    await expect(ask(server, '/good')).rejects.toThrow();
    for (const socket of open) socket.destroy();
  });

  it('says in one line which port is taken', async () => {
    const { port } = await serve({});
    const second = new HttpServer({ host: '127.0.0.1', port, pages: new Map(), logger: silentLogger });
    await expect(second.start()).rejects.toThrow(
      `klassic.http.port: cannot listen on 127.0.0.1:${port}: Address already in use`,
    );
  });
});
