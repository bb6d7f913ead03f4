// Checks that README, CONTRIBUTING, CHANGELOG, the client's page and docs/ tell the truth about what can be looked up: relative links and their anchors resolve,
// npm scripts and files named in backticks exist, routes that they or texts of the source name are in openapi/openapi.json, and what code cites of the
// rules (docs/domain.md) is there. Says nothing about links to other sites.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const TOP_LEVEL = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'clients/typescript/README.md'];
/** npm's own commands that need no script. */
const NPM_COMMANDS = ['ci', 'install', 'run', 'exec', 'audit', 'rebuild', 'config'];
/** A path in backticks is checked when it starts with one of these, or with ./ */
const FOLDERS = ['src/', 'test/', 'docs/', 'scripts/', 'prisma/', 'openapi/', 'clients/', 'ops/', '.ci/'];
const RULES = 'docs/domain.md';
const OPENAPI = 'openapi/openapi.json';
const BASE_PATH = '/api/v1/billing';
/** Paths that are served beside the routes of the document. */
const PAGES = ['/docs', '/openapi.json', '/metrics'];
const UNBUILT = 'not built yet';
/** Whose comments and texts cite the rules, and what below is made or recorded. */
const CITING = ['src', 'scripts', 'test', 'prisma'];
const NOT_CITING = ['src/generated/', 'test/fixtures/'];
const SOURCE = /\.(?:ts|mjs|sql|prisma)$/;

/** Everything wrong in one document; `path` is relative to `project`. */
export function checkDocument(project: string, path: string): string[] {
  const text = readFileSync(join(project, path), 'utf8');
  const prose = withoutFences(text);
  return [
    ...findLinks(prose).flatMap((link) => checkLink(project, path, link)),
    ...(isSuperseded(text) ? [] : findCode(prose).flatMap((code) => checkFileName(project, code))),
    ...findNpmScripts(text).flatMap((name) => checkNpmScript(project, name)),
  ];
}

/** Every markdown file that is checked. */
export function listDocuments(project: string): string[] {
  const docs = join(project, 'docs');
  const below = existsSync(docs)
    ? readdirSync(docs, { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name))
    : [];
  return [...TOP_LEVEL, ...below].filter((path) => path.endsWith('.md') && existsSync(join(project, path))).sort();
}

/** A record that another one replaced is not edited any more: the files that it names may be gone. */
function isSuperseded(text: string): boolean {
  return /^Superseded by /m.test(text);
}

/**
 * Routes that a text names (`POST /orders`, in documents also a path alone in backticks that begins like one) and that the OpenAPI document does not
 * have. Lines that speak of what is not built yet may name what will be.
 */
export function checkRoutes(project: string, path: string): string[] {
  if (!existsSync(join(project, OPENAPI))) return [];
  const text = readFileSync(join(project, path), 'utf8');
  if (isSuperseded(text)) return [];
  const lines = text.split('\n').filter((line) => !line.includes(UNBUILT));
  const routes = readRoutes(project);
  const beginnings = new Set(routes.map(([route]) => route.replace(BASE_PATH, '').split('/')[1]));
  const named = lines.flatMap((line) => [
    ...line.matchAll(/\b(GET|HEAD|POST|PUT|PATCH|DELETE) (\/(?:[\w/{}:-]|\.(?=\w))*)/g),
    ...(path.endsWith('.md') ? line.matchAll(/`()(\/(?:[\w/{}:-]|\.(?=\w))*)(?:\?[^`]*)?`/g) : []),
  ]);
  return named
    .filter(([, method = '', name = '']) => method !== '' || beginnings.has(name.split('/')[1]))
    .filter(([, method = '', name = '']) => !routes.some((route) => isRoute(route, method, name.replace(/:$/, ''))))
    .map(([, method = '', name = '']) => `no such route: ${`${method} ${name}`.trim()}`);
}

type Route = readonly [path: string, methods: readonly string[]];

function readRoutes(project: string): Route[] {
  const { paths } = JSON.parse(readFileSync(join(project, OPENAPI), 'utf8')) as { paths: Record<string, object> };
  const declared = Object.entries(paths).map(([path, methods]): Route => [path, Object.keys(methods)]);
  return [...declared, ...PAGES.map((path): Route => [path, ['get']])];
}

/** Whether a name is of this route, in full or below the base path, with whatever in place of its parameters. */
function isRoute([path, methods]: Route, method: string, name: string): boolean {
  if (method !== '' && !methods.includes(method === 'HEAD' ? 'get' : method.toLowerCase())) return false;
  const pattern = path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.');
  return new RegExp(`^${pattern}$`).test(name) || new RegExp(`^${pattern}$`).test(`${BASE_PATH}${name}`);
}

function withoutFences(text: string): string {
  return text.replace(/^( *)(```|~~~)[\s\S]*?^\1\2 *$/gm, '');
}

function findLinks(prose: string): string[] {
  const withoutCode = prose.replace(/`[^`\n]*`/g, '');
  const inline = [...withoutCode.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)];
  const references = [...withoutCode.matchAll(/^\[[^\]]+\]: *<?(\S+?)>?$/gm)];
  return [...inline, ...references].map((match) => match[1] as string);
}

function findCode(prose: string): string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string);
}

function findNpmScripts(text: string): string[] {
  const run = [...text.matchAll(/\bnpm run(?:-script)? (?:-s |--silent )?([\w:.-]+)/g)];
  const bare = [...text.matchAll(/\bnpm (start|test|stop|restart)\b/g)];
  return [...new Set([...run, ...bare].map((match) => match[1] as string))];
}

function checkLink(project: string, path: string, link: string): string[] {
  if (/^[a-z][a-z+.-]*:/i.test(link) || link.startsWith('//')) return [];
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? join(project, path) : resolve(project, dirname(path), decodeURIComponent(file));
  if (relative(project, target).startsWith('..')) return [`link leaves the project: ${link}`];
  if (!existsSync(target)) return [`link leads nowhere: ${link}`];
  if (anchor === undefined || !target.endsWith('.md')) return [];
  return anchorsOf(readFileSync(target, 'utf8')).has(decodeURIComponent(anchor)) ? [] : [`no such heading: ${link}`];
}

/** Anchors as GitHub makes them from headings, and those given by hand. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map((match) => match[1] as string));
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let unique = slug;
    for (let n = 1; anchors.has(unique); n++) unique = `${slug}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** `src/app.ts`, `docs/`, but neither patterns nor names with a placeholder. A line number after it is ignored. */
function checkFileName(project: string, code: string): string[] {
  const name = code.replace(/^\.\//, '').replace(/:\d+$/, '');
  const isPath = FOLDERS.some((folder) => name.startsWith(folder)) || code.startsWith('./') || TOP_LEVEL.includes(name);
  if (!isPath || /[\s*<>{}$…]|NNNN/.test(name) || isGenerated(name)) return [];
  return existsSync(join(project, name)) ? [] : [`no such file: \`${code}\``];
}

function isGenerated(name: string): boolean {
  return name.startsWith('src/generated');
}

function checkNpmScript(project: string, name: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { scripts: object };
  return name in scripts || NPM_COMMANDS.includes(name) ? [] : [`no such npm script: ${name}`];
}

/** Citations of sections (`DOMAIN 3.4, 3.5`) and invariants (`I3`) that docs/domain.md does not have. */
export function checkCitations(project: string): string[] {
  const path = join(project, RULES);
  const rules = existsSync(path) ? withoutFences(readFileSync(path, 'utf8')) : '';
  const sections = firstGroups(rules, /^#{2,6} +(\d+(?:\.\d+)?)\b/gm);
  const invariants = firstGroups(rules, /^- \*\*(I\d+)\*\*/gm);
  return listSources(project).flatMap((source) => {
    const text = readFileSync(join(project, source), 'utf8');
    const missing = [
      ...citedSections(text)
        .filter((number) => !sections.has(number))
        .map((number) => `no such section of ${RULES}: DOMAIN ${number}`),
      ...[...firstGroups(text, /\b(I\d+)\b/g)]
        .filter((name) => !invariants.has(name))
        .map((name) => `no such invariant in ${RULES}: ${name}`),
    ];
    return missing.map((mistake) => `${source}: ${mistake}`);
  });
}

function firstGroups(text: string, pattern: RegExp): Set<string> {
  return new Set([...text.matchAll(pattern)].map((match) => match[1] as string));
}

/** The numbers after DOMAIN, of which there may be several: `3.3, 3.13 and 3.17`. */
function citedSections(text: string): string[] {
  const lists = firstGroups(text, /\bDOMAIN (\d+(?:\.\d+)?(?:(?:, | and )\d+\.\d+)*)/g);
  return [...new Set([...lists].flatMap((list) => list.split(/, | and /)))];
}

function listSources(project: string): string[] {
  return CITING.filter((folder) => existsSync(join(project, folder)))
    .flatMap((folder) =>
      readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => SOURCE.test(path) && !NOT_CITING.some((made) => path.startsWith(made)))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const documents = listDocuments(PROJECT);
  const mistakes = [
    ...documents.flatMap((path) => checkDocument(PROJECT, path).map((mistake) => `${path}: ${mistake}`)),
    ...[...documents, ...listSources(PROJECT).filter((path) => path.startsWith('src/'))].flatMap((path) =>
      checkRoutes(PROJECT, path).map((mistake) => `${path}: ${mistake}`),
    ),
    ...checkCitations(PROJECT),
  ];
  for (const mistake of mistakes) console.error(mistake);
  const hasReadme = documents.includes('README.md') && statSync(join(PROJECT, 'README.md')).size > 0;
  if (!hasReadme) console.error('README.md is missing or empty');
  if (mistakes.length > 0 || !hasReadme) process.exitCode = 1;
  else console.log(`${documents.length} documents checked`);
}
