import type { Config } from 'jest';

// Both kinds of test run the very sources that production builds from: swc only strips the types.
const shared = {
  rootDir: import.meta.dirname,
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['klassic-source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['/dist/', '/\\.toolchain/', '/\\.lab/'],
} satisfies Config;

/** `unit` starts no process and opens no port but its own; `integration` runs real brokers and a real ZooKeeper; `reference` runs Apache Kafka itself. */
const config: Config = {
  // A test that takes a moment takes many on a machine that is busy with others.
  testTimeout: 60_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/packages/*/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.integration\\.test\\.ts$', '\\.reference\\.test\\.ts$'],
    },
    { ...shared, displayName: 'integration', testMatch: ['<rootDir>/packages/*/test/**/*.integration.test.ts'] },
    { ...shared, displayName: 'reference', testMatch: ['<rootDir>/packages/*/test/**/*.reference.test.ts'] },
  ],
};

export default config;
