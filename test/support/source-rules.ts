// The rules of the source tree that no type checker knows: who may import whom, and what may stand only in one file.
// Works on the syntax tree, so that comments and texts can't mislead it. Each rule is shown to fail in test/tidy.test.ts.
import { posix } from 'node:path';
import ts from 'typescript';

/** Paths relative to the project, such as `src/app.ts`, and the text of each file. */
export type Sources = ReadonlyMap<string, string>;

interface Import {
  /** The file it leads to (`src/...`), or the name of the package. */
  target: string;
  isOwn: boolean;
  isTypeOnly: boolean;
  isReExport: boolean;
}

interface LayerRule {
  /** Other folders (or files of src/) that may be imported; a folder may import from itself unless `isFlat`. */
  layers: readonly string[];
  /** The same, for types only. */
  types?: readonly string[];
  /** Packages that may be imported; those of Node are free unless `isPure`. */
  packages: readonly string[];
  /** No Node modules, nothing asynchronous, no process. */
  isPure?: boolean;
  /** Its files don't import each other. */
  isFlat?: boolean;
  /** No member has a name of the wire, in snake_case. */
  isOffTheWire?: boolean;
}

const FASTIFY = ['fastify', 'fastify-plugin', 'fastify-type-provider-zod', '@fastify/*'];

/** The arrows. A folder that is not named here has no business in src/. */
const layers: Readonly<Record<string, LayerRule>> = {
  routes: {
    layers: ['schemas', 'payments', 'services', 'http', 'errors', 'lib'],
    types: ['call.ts', 'deps.ts', 'ledger', 'db'],
    packages: ['fastify', 'zod'],
  },
  http: {
    layers: ['schemas', 'errors', 'lib', 'package.json'],
    types: ['call.ts', 'deps.ts'],
    packages: [...FASTIFY, 'zod'],
  },
  schemas: { layers: ['errors', 'lib'], packages: ['zod'] },
  jobs: {
    layers: ['payments', 'webhooks', 'services', 'engine', 'ledger', 'db', 'errors', 'lib'],
    types: ['deps.ts'],
    packages: [],
  },
  payments: {
    // what is recorded of a confirmation is what its route would answer, whoever confirms
    layers: ['routes', 'services', 'engine', 'ledger', 'db', 'schemas', 'errors', 'lib'],
    types: ['call.ts', 'config.ts', 'deps.ts'],
    packages: ['ipaddr.js', 'standardwebhooks', 'stripe', 'undici', 'zod'],
  },
  webhooks: { layers: ['services', 'engine', 'ledger', 'db', 'errors', 'lib'], types: ['deps.ts'], packages: [] },
  services: {
    layers: ['engine', 'ledger', 'db', 'errors', 'lib'],
    types: ['call.ts', 'deps.ts'],
    packages: [],
    isFlat: true,
    isOffTheWire: true,
  },
  engine: {
    layers: ['ledger', 'db', 'errors', 'lib'],
    types: ['call.ts', 'foundations.ts'],
    packages: ['safe-stable-stringify'],
  },
  db: { layers: ['errors', 'lib', 'generated'], types: ['ledger', 'pino'], packages: ['pg', '@prisma/*'] },
  embedded: { layers: ['errors', 'process'], packages: ['pg'] },
  ledger: { layers: ['errors', 'lib'], packages: [], isPure: true, isOffTheWire: true },
  errors: { layers: [], packages: [] },
  lib: {
    layers: [],
    types: ['pino'],
    packages: [
      'csv-parse',
      'csv-stringify/sync',
      'ipaddr.js',
      'jose',
      'prom-client',
      'standardwebhooks',
      'undici',
      'uuid',
    ],
  },
  process: { layers: ['errors'], types: ['fastify', 'pino'], packages: [] },
  'call.ts': { layers: [], types: ['lib'], packages: [] },
  'environment.ts': { layers: [], packages: ['zod'] },
  'config.ts': { layers: ['environment.ts', 'errors'], packages: ['zod'] },
  'foundations.ts': { layers: [], types: ['config.ts', 'db', 'lib', 'pino'], packages: [] },
  'deps.ts': { layers: [], types: ['foundations.ts', 'engine'], packages: [] },
  'app.ts': { layers: ['routes', 'http', 'errors', 'lib', 'db', 'engine'], types: ['deps.ts'], packages: ['fastify'] },
  'main.ts': {
    layers: ['app.ts', 'config.ts', 'db', 'embedded', 'engine', 'errors', 'jobs', 'lib', 'process', 'services'],
    types: ['deps.ts'],
    packages: ['pino'],
  },
};

/** What may stand only in the named file; the text is that of the syntax node. */
const onlyIn: readonly { what: string; file: string | undefined; matches: (node: ts.Node) => boolean }[] = [
  { what: 'the present time', file: 'src/lib/clock.ts', matches: readsPresent },
  { what: 'Math.random', file: 'src/lib/backoff.ts', matches: (node) => isMember(node, 'Math', 'random') },
  { what: 'process.env', file: 'src/main.ts', matches: (node) => isMember(node, 'process', 'env') },
  { what: 'process.exit', file: 'src/main.ts', matches: (node) => isMember(node, 'process', 'exit') },
  { what: 'process.exitCode', file: 'src/main.ts', matches: (node) => isMember(node, 'process', 'exitCode') },
  { what: 'console', file: undefined, matches: (node) => ts.isIdentifier(node) && node.text === 'console' },
  {
    what: 'PrismaClient',
    file: 'src/db/client.ts',
    matches: (node) => ts.isIdentifier(node) && node.text === 'PrismaClient',
  },
];

/** Every violation of the rules, one line each. */
export function findViolations(sources: Sources): string[] {
  const files = [...sources].map(([path, text]) => ({ path, tree: parse(path, text) }));
  const imports = new Map(files.map(({ path, tree }) => [path, readImports(path, tree)]));
  return [
    ...files.flatMap(({ path, tree }) => [
      ...checkArrows(path, imports.get(path) ?? []),
      ...checkBarrels(path, imports.get(path) ?? []),
      ...checkOnlyIn(path, tree),
      ...(layers[layerOf(path)]?.isPure ? checkPurity(path, tree) : []),
      ...(layers[layerOf(path)]?.isOffTheWire ? checkWireNames(path, tree) : []),
    ]),
    ...findCycles(imports),
  ];
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** `src/db/client.ts` is of the layer `db`, `src/app.ts` of the layer `app.ts`. */
function layerOf(path: string): string {
  return path.split('/')[1] ?? path;
}

function readImports(path: string, tree: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean, isReExport: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const isOwn = specifier.text.startsWith('.');
    const target = isOwn ? posix.join(posix.dirname(path), specifier.text.replace(/\.js$/, '.ts')) : specifier.text;
    found.push({ target, isOwn, isTypeOnly, isReExport });
  };
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, importsTypesOnly(node), false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, false);
    }
  });
  return found;
}

function importsTypesOnly(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const bindings = clause.namedBindings;
  return (
    clause.name === undefined &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly)
  );
}

function checkArrows(path: string, imports: readonly Import[]): string[] {
  const layer = layerOf(path);
  const rule = layers[layer];
  if (!rule) return [`${path}: the folder ${layer} has no rule in test/support/source-rules.ts`];
  return imports
    .filter((each) => !isAllowed(each, layer, rule))
    .map(
      (each) =>
        `${path}: may not import ${each.target}${isAllowed({ ...each, isTypeOnly: true }, layer, rule) ? ' except for types' : ''}`,
    );
}

function isAllowed({ target, isOwn, isTypeOnly }: Import, layer: string, rule: LayerRule): boolean {
  const names = isTypeOnly ? [...(rule.types ?? [])] : [];
  if (isOwn) {
    const to = layerOf(target);
    const isInside = target.startsWith('src/') || target === to; // a file of the project's own folder has no other layer
    return isInside && (to === layer ? !rule.isFlat : [...rule.layers, ...names].includes(to));
  }
  if (target.startsWith('node:')) return !rule.isPure;
  return [...rule.packages, ...names].some((name) =>
    name.endsWith('/*') ? target.startsWith(name.slice(0, -1)) : target === name,
  );
}

function checkBarrels(path: string, imports: readonly Import[]): string[] {
  return [
    ...(/(^|\/)index\.[cm]?ts$/.test(path) ? [`${path}: no index files`] : []),
    ...imports.filter((each) => each.isReExport).map((each) => `${path}: re-exports ${each.target}`),
  ];
}

function checkOnlyIn(path: string, tree: ts.SourceFile): string[] {
  const violations: string[] = [];
  visit(tree, (node) => {
    for (const { what, file, matches } of onlyIn) {
      if (path !== file && matches(node))
        violations.push(`${path}: ${what} ${file ? `belongs in ${file}` : 'is not used'}`);
    }
  });
  return violations;
}

function checkPurity(path: string, tree: ts.SourceFile): string[] {
  const violations: string[] = [];
  visit(tree, (node) => {
    const isAsync =
      node.kind === ts.SyntaxKind.AsyncKeyword ||
      ts.isAwaitExpression(node) ||
      (ts.isIdentifier(node) && ['Promise', 'setTimeout', 'setImmediate', 'queueMicrotask'].includes(node.text));
    if (isAsync) violations.push(`${path}: nothing asynchronous here`);
    if (ts.isIdentifier(node) && node.text === 'process' && !isPropertyName(node))
      violations.push(`${path}: no process here`);
  });
  return violations;
}

function checkWireNames(path: string, tree: ts.SourceFile): string[] {
  const violations: string[] = [];
  visit(tree, (node) => {
    const isMember =
      ts.isPropertyAssignment(node) || ts.isPropertySignature(node) || ts.isPropertyAccessExpression(node);
    if (isMember && /^[a-z]+(_[a-z]+)+$/.test(node.name.getText()))
      violations.push(`${path}: ${node.name.getText()} is a name of the wire`);
  });
  return violations;
}

/** `new Date()`, `Date()`, `Date.now`; a date made from arguments and Date.UTC are fine. */
function readsPresent(node: ts.Node): boolean {
  const isDate = (expression: ts.Expression) => ts.isIdentifier(expression) && expression.text === 'Date';
  if (ts.isNewExpression(node)) return isDate(node.expression) && (node.arguments?.length ?? 0) === 0;
  if (ts.isCallExpression(node)) return isDate(node.expression);
  return isMember(node, 'Date', 'now');
}

/** `object.member`, `object['member']`, `globalThis.object.member`, and `const { member } = object`. */
function isMember(node: ts.Node, object: string, member: string): boolean {
  const named = (expression: ts.Expression | undefined): boolean =>
    expression !== undefined &&
    (ts.isIdentifier(expression)
      ? expression.text === object
      : ts.isPropertyAccessExpression(expression) && expression.name.text === object);
  if (ts.isPropertyAccessExpression(node)) return node.name.text === member && named(node.expression);
  if (ts.isElementAccessExpression(node)) {
    return (
      ts.isStringLiteral(node.argumentExpression) && node.argumentExpression.text === member && named(node.expression)
    );
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    return (
      named(node.initializer) &&
      node.name.elements.some((each) => (each.propertyName ?? each.name).getText() === member)
    );
  }
  return false;
}

/** In `order.process` and `{ process: 1 }` the word is a name of ours. */
function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node)
  );
}

function findCycles(imports: ReadonlyMap<string, readonly Import[]>): string[] {
  const finished = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push(`import cycle: ${[...trail.slice(start), path].join(' -> ')}`);
      return;
    }
    if (finished.has(path)) return;
    for (const each of imports.get(path) ?? []) if (each.isOwn) walk(each.target, [...trail, path]);
    finished.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return cycles;
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}
