// Which build answers. No token, outside the base path.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Build } from '../http/build.js';
import { defineRoute } from '../http/route.js';

const versionSchema = z
  .object({
    version: z.string(),
    commit: z
      .string()
      .nullable()
      .meta({ description: 'The commit that it was built of; null when that is not known.' }),
    node: z.string().meta({ description: 'The version of Node that runs it.' }),
  })
  .meta({
    examples: [{ version: '1.4.0', commit: '5f1d7a84db00d2fce00b31a7fc73224961c5fe8a', node: '24.11.1' }],
  });

/** Registers /version. */
export function registerVersion(app: FastifyInstance, build: Build): void {
  const body = { ...build, node: process.versions.node };
  defineRoute(app, {
    method: 'GET',
    url: '/version',
    operationId: 'getVersion',
    summary: 'Which build is it?',
    tag: 'health',
    access: 'public',
    responses: { 200: versionSchema },
    problems: [],
    handler: () => ({ status: 200, body }),
  });
}
