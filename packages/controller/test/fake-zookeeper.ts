import type {
  MultiOp,
  MultiResult,
  ResultCode,
  Stat,
  StateChangeHandler,
  ZNodeChangeHandler,
  ZNodeChildChangeHandler,
  ZooKeeperRequest,
  ZooKeeperResponse,
  ZooKeeperSession,
} from '@klassic/zookeeper';

interface Node {
  data: Buffer | null;
  version: number;
  cversion: number;
  czxid: number;
  mzxid: number;
  nextSequence: number;
  owner: string | undefined;
}

/** A change of the tree, or an attempt, as ZooKeeper's transaction log has it. */
export interface Transaction {
  readonly who: string;
  readonly ops: readonly MultiOp[];
  readonly isMulti: boolean;
  readonly code: ResultCode;
}

type ReadRequest = Extract<ZooKeeperRequest, { op: 'exists' | 'getData' | 'getChildren' }>;
type EventType = 'NodeCreated' | 'NodeDeleted' | 'NodeDataChanged' | 'NodeChildrenChanged';

/** A ZooKeeper in memory: a tree of znodes with versions, sessions with ephemerals and one-time watches. All answers come in microtasks. */
export class FakeZooKeeper {
  readonly nodes = new Map<string, Node>();
  readonly transactions: Transaction[] = [];
  readonly sessions = new Map<string, FakeSession>();
  zxid = 0;
  /** Sessions told of an event first: who wins a race. */
  favourite: string | undefined;

  constructor() {
    this.put('/', null);
  }

  /** Sets a znode, with its parents, without any event: how the world was before. */
  put(path: string, data: Buffer | null, version = 0, owner?: string, czxid = this.zxid): void {
    if (path !== '/') {
      const parent = parentOf(path);
      if (!this.nodes.has(parent)) this.put(parent, null);
    }
    this.nodes.set(path, { data, version, cversion: 0, czxid, mzxid: czxid, nextSequence: 0, owner });
  }

  connect(name: string): FakeSession {
    const session = new FakeSession(name, this);
    this.sessions.set(name, session);
    return session;
  }

  json(path: string): unknown {
    const data = this.nodes.get(path)?.data;
    return data === null || data === undefined ? data : JSON.parse(data.toString());
  }

  childrenOf(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()]
      .filter((other) => other !== '/' && other.startsWith(prefix) && !other.slice(prefix.length).includes('/'))
      .map((other) => other.slice(prefix.length))
      .sort();
  }

  /** One transaction: all of its operations or none. */
  apply(
    who: string,
    ops: readonly MultiOp[],
    isMulti: boolean,
    zxid = this.zxid + 1,
  ): { code: ResultCode; results: MultiResult[] } {
    this.zxid = Math.max(this.zxid, zxid);
    const code = this.check(ops);
    this.transactions.push({ who, ops, isMulti, code: code.code });
    if (code.code !== 'OK') {
      const results = ops.map((_, index): MultiResult => ({
        code: index === code.at ? code.code : index < code.at ? 'OK' : 'RUNTIME_INCONSISTENCY',
      }));
      return { code: code.code, results };
    }
    const events: [EventType, string][] = [];
    const results = ops.map((op) => this.carryOut(who, op, zxid, events));
    this.fire(events);
    return { code: 'OK', results };
  }

  /** Ends a session: its ephemerals and watches go. */
  closeSession(name: string): void {
    this.sessions.get(name)?.forget();
    this.sessions.delete(name);
    const events: [EventType, string][] = [];
    this.zxid += 1;
    for (const [path, node] of [...this.nodes]) {
      if (node.owner === name) this.remove(path, events);
    }
    this.fire(events);
  }

  read(session: FakeSession, request: ReadRequest): ZooKeeperResponse {
    const { path } = request;
    const node = this.nodes.get(path);
    const found = { code: 'OK' as const, path, ...(node === undefined ? {} : { stat: this.stat(path, node) }) };
    switch (request.op) {
      case 'exists':
        if (session.change.has(path)) session.dataWatches.add(path);
        return node === undefined ? { code: 'NO_NODE', path } : found;
      case 'getData':
        if (session.change.has(path)) session.dataWatches.add(path);
        return node === undefined ? { code: 'NO_NODE', path } : { ...found, data: node.data };
      case 'getChildren':
        if (node === undefined) return { code: 'NO_NODE', path };
        if (request.registerWatch !== false && session.childChange.has(path)) session.childWatches.add(path);
        return { ...found, children: this.childrenOf(path) };
    }
  }

  private check(ops: readonly MultiOp[]): { code: ResultCode; at: number } {
    const made = new Set<string>();
    for (const [at, op] of ops.entries()) {
      const node = this.nodes.get(op.path);
      const exists = node !== undefined || made.has(op.path);
      if (op.op === 'create') {
        if (!this.nodes.has(parentOf(op.path))) return { code: 'NO_NODE', at };
        if (exists && op.sequential !== true) return { code: 'NODE_EXISTS', at };
        made.add(op.path);
      } else {
        if (!exists) return { code: 'NO_NODE', at };
        if (op.version !== -1 && op.version !== (node?.version ?? 0)) return { code: 'BAD_VERSION', at };
        if (op.op === 'delete' && this.childrenOf(op.path).length > 0) return { code: 'NOT_EMPTY', at };
      }
    }
    return { code: 'OK', at: ops.length };
  }

  private carryOut(who: string, op: MultiOp, zxid: number, events: [EventType, string][]): MultiResult {
    switch (op.op) {
      case 'check':
        return { code: 'OK' };
      case 'create': {
        const parent = this.nodes.get(parentOf(op.path))!;
        const path = op.sequential === true ? `${op.path}${String(parent.nextSequence++).padStart(10, '0')}` : op.path;
        this.put(path, op.data, 0, op.ephemeral === true ? who : undefined, zxid);
        parent.cversion += 1;
        events.push(['NodeCreated', path], ['NodeChildrenChanged', parentOf(path)]);
        return { code: 'OK', path };
      }
      case 'setData': {
        const node = this.nodes.get(op.path)!;
        node.data = op.data;
        node.version += 1;
        node.mzxid = zxid;
        events.push(['NodeDataChanged', op.path]);
        return { code: 'OK', stat: this.stat(op.path, node) };
      }
      case 'delete':
        this.remove(op.path, events);
        return { code: 'OK' };
    }
  }

  private remove(path: string, events: [EventType, string][]): void {
    this.nodes.delete(path);
    this.nodes.get(parentOf(path))!.cversion += 1;
    events.push(['NodeDeleted', path], ['NodeChildrenChanged', parentOf(path)]);
  }

  private fire(events: readonly [EventType, string][]): void {
    const sessions = [...this.sessions.values()].sort(
      (a, b) => Number(b.name === this.favourite) - Number(a.name === this.favourite),
    );
    for (const [type, path] of events) for (const session of sessions) session.notify(type, path);
  }

  private stat(path: string, node: Node): Stat {
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      pzxid: node.mzxid,
      ctime: 0,
      mtime: 0,
      version: node.version,
      cversion: node.cversion,
      aversion: 0,
      ephemeralOwner: node.owner ?? '0x0',
      dataLength: node.data?.length ?? 0,
      numChildren: this.childrenOf(path).length,
    };
  }
}

/** One session of the fake ZooKeeper: what `KafkaZkClient` needs of a `ZooKeeperSession`. */
export class FakeSession {
  /** Also the session's id. */
  name: string;
  readonly change = new Map<string, ZNodeChangeHandler>();
  readonly childChange = new Map<string, ZNodeChildChangeHandler>();
  readonly dataWatches = new Set<string>();
  readonly childWatches = new Set<string>();
  readonly stateHandlers = new Map<string, StateChangeHandler>();
  private readonly zookeeper: FakeZooKeeper;
  /** Answers nothing any more: its process has been killed. */
  dead = false;
  /** The server has ended the session, and the process has not begun a new one. */
  expired = false;
  /** While its process is stopped: fulfilled when it goes on. */
  held: Promise<void> | undefined;
  /** What comes between the process and ZooKeeper: it may do something before, answer itself, or lose the answer. */
  intercept: ((request: ZooKeeperRequest, carryOut: () => ZooKeeperResponse) => ZooKeeperResponse) | undefined;
  /** The requests of each call: what was sent without waiting for an answer. */
  readonly calls: (readonly ZooKeeperRequest[])[] = [];

  constructor(name: string, zookeeper: FakeZooKeeper) {
    this.name = name;
    this.zookeeper = zookeeper;
  }

  get sessionId(): string {
    return this.name;
  }

  asSession(): ZooKeeperSession {
    return this as unknown as ZooKeeperSession;
  }

  async handleRequests(requests: readonly ZooKeeperRequest[]): Promise<ZooKeeperResponse[]> {
    this.calls.push(requests);
    const responses: ZooKeeperResponse[] = [];
    for (const request of requests) {
      await Promise.resolve();
      await this.held;
      if (this.dead) return new Promise(() => undefined);
      const carryOut = (): ZooKeeperResponse =>
        this.expired ? { code: 'SESSION_EXPIRED', path: '' } : this.handle(request);
      responses.push(this.intercept?.(request, carryOut) ?? carryOut());
    }
    return responses;
  }

  async handleRequest(request: ZooKeeperRequest): Promise<ZooKeeperResponse> {
    return (await this.handleRequests([request]))[0]!;
  }

  waitUntilConnected(): Promise<void> {
    return Promise.resolve();
  }

  registerZNodeChangeHandler(handler: ZNodeChangeHandler): void {
    this.change.set(handler.path, handler);
  }

  unregisterZNodeChangeHandler(path: string): void {
    this.change.delete(path);
  }

  registerZNodeChildChangeHandler(handler: ZNodeChildChangeHandler): void {
    this.childChange.set(handler.path, handler);
  }

  unregisterZNodeChildChangeHandler(path: string): void {
    this.childChange.delete(path);
  }

  registerStateChangeHandler(handler: StateChangeHandler): void {
    this.stateHandlers.set(handler.name, handler);
  }

  unregisterStateChangeHandler(name: string): void {
    this.stateHandlers.delete(name);
  }

  /** What the client does when it learns that its session has expired. */
  async renew(name: string, zxid: number): Promise<void> {
    for (const handler of this.stateHandlers.values()) await handler.beforeInitializingSession?.();
    this.name = name;
    this.expired = false;
    this.zookeeper.sessions.set(name, this);
    this.zookeeper.zxid = zxid;
    for (const handler of this.stateHandlers.values()) await handler.afterInitializingSession?.();
  }

  forget(): void {
    this.dataWatches.clear();
    this.childWatches.clear();
  }

  notify(type: EventType, path: string): void {
    const watches = type === 'NodeChildrenChanged' ? this.childWatches : this.dataWatches;
    if (type === 'NodeDeleted') this.childWatches.delete(path);
    if (this.dead || !watches.delete(path)) return;
    const told = this.name;
    void Promise.resolve(this.held).then(() => {
      // An event of a session that has ended meanwhile is lost.
      if (this.dead || this.expired || this.name !== told) return;
      if (type === 'NodeCreated') this.change.get(path)?.handleCreation?.();
      if (type === 'NodeDeleted') this.change.get(path)?.handleDeletion?.();
      if (type === 'NodeDataChanged') this.change.get(path)?.handleDataChange?.();
      if (type === 'NodeChildrenChanged') this.childChange.get(path)?.handleChildChange();
    });
  }

  private handle(request: ZooKeeperRequest): ZooKeeperResponse {
    if (request.op === 'multi') {
      const { code, results } = this.zookeeper.apply(this.name, request.ops, true);
      return { code, path: request.ops[0]?.path ?? '', results };
    }
    if (request.op === 'create' || request.op === 'setData' || request.op === 'delete') {
      const { code, results } = this.zookeeper.apply(this.name, [request], false);
      const { path, stat } = results[0]!;
      return { code, path: path ?? request.path, ...(stat === undefined ? {} : { stat }) };
    }
    if (request.op === 'getAcl' || request.op === 'setAcl') throw new Error('the fake ZooKeeper has no ACLs');
    return this.zookeeper.read(this, request);
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
