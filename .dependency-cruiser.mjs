// The walls of the house: packages are floors, imports go down only, and each package has one door.
const floors = [
  ['common'],
  ['protocol', 'zookeeper'],
  ['network', 'log'],
  ['controller', 'client'],
  ['broker', 'admin'],
  ['lab'],
  ['test-support'],
];

const upward = floors.flatMap((floor, level) =>
  floor.map((name) => ({
    name: `no-upward-import-from-${name}`,
    comment: `@klassic/${name} stands on floor ${level}: it may import from the floors below only.`,
    severity: 'error',
    from: { path: `^packages/${name}/src/` },
    to: {
      path: `^packages/(${
        floors
          .slice(level)
          .flat()
          .filter((other) => other !== name)
          .join('|') || 'none'
      })/`,
    },
  })),
);

export default {
  forbidden: [
    ...upward,
    {
      name: 'no-circle',
      comment: 'No circles, between files or packages.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-deep-import',
      comment: 'A package is entered by its door (src/index.ts) only, or a door its package.json names.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: {
        path: '^packages/([^/]+)/src/',
        pathNot: ['^packages/$1/', '^packages/[^/]+/src/index\\.ts$', '^packages/test-support/src/'],
      },
    },
    {
      name: 'no-unresolved',
      comment: 'Every import resolves.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|fixtures)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.check.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['klassic-source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
