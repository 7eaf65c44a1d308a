export * from './acl.ts';
export * from './broker-info.ts';
export * from './errors.ts';
export * from './kafka-zk-client.ts';
export * from './leader-and-isr.ts';
export * from './requests.ts';
export * from './session.ts';
export * from './session/handlers.ts';
export type { Stat } from './stat.ts';
