import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@klassic/common';

/** A page: what it holds at the moment it is asked for. */
export interface Page {
  readonly status?: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** By path. Only GET and HEAD are answered. */
  readonly pages: ReadonlyMap<string, () => Page | Promise<Page>>;
  readonly logger: Logger;
}

/** People and one or two Prometheus servers look; nobody else has business here. */
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;

/** The metrics page cannot be served: one clear line for the operator. */
export class HttpServerError extends Error {
  override readonly name = 'HttpServerError';
}

/** Serves a few pages over HTTP. A request's body is never read. */
export class HttpServer {
  private readonly options: HttpServerOptions;
  private readonly server: Server;

  constructor(options: HttpServerOptions) {
    this.options = options;
    this.server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => {
        this.answer(request, response).catch((error: unknown) => {
          options.logger.error(`Error when serving ${request.url ?? ''}`, error);
          if (!response.headersSent) response.writeHead(500).end('error\n');
          else response.destroy();
        });
      },
    );
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** The bound port. To be asked after `start`. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** @throws HttpServerError when the port cannot be bound */
  start(): Promise<void> {
    const { host, port, logger } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const cause = error.code === 'EADDRINUSE' ? 'Address already in use' : error.message;
        reject(new HttpServerError(`klassic.http.port: cannot listen on ${host}:${port}: ${cause}`, { cause: error }));
      });
      this.server.listen({ host, port }, () => {
        logger.info(`Metrics and state are served on http://${host}:${this.port}/`);
        resolve();
      });
    });
  }

  /** Stops listening and ends open connections. */
  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', connection: 'close' }).end('only GET and HEAD\n');
      return;
    }
    const path = (request.url ?? '/').split('?', 1)[0]!;
    const page = this.options.pages.get(path);
    if (page === undefined) {
      const known = [...this.options.pages.keys()].join(' ');
      response.writeHead(404, { 'content-type': 'text/plain' }).end(`no such page; there are: ${known}\n`);
      return;
    }
    const { status = 200, contentType, body } = await page();
    response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}
