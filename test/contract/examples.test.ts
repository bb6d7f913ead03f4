// Sends the named examples of the OpenAPI document as they stand, in its order, to a new database with the demo catalogue: each must succeed.
// Ids that only an answer knows come by the document's own links. Problems and their examples are held against their schemas.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogue, type ErrorCode } from '../../src/errors/catalogue.js';
import { openapiText } from '../../src/http/openapi.js';
import { fillEmptyCatalogue } from '../../src/services/catalog.js';
import { demoCatalogue } from '../../src/services/demo-catalogue.js';
import { API_TOKEN, type Json, useTestApp } from '../support/app.js';
import { type Operation, readOperations, resolve } from '../support/openapi-document.js';

const BASE = '/api/v1/billing';
const app = useTestApp();

let document: Json;
let operations: Operation[];

beforeAll(async () => {
  await fillEmptyCatalogue(app.deps, demoCatalogue);
  document = JSON.parse(openapiText(app.app));
  operations = readOperations(document);
});

/** The names of an operation's examples, those of its body first; one without a name where it has neither body nor parameters to fill. */
function namesOf({ parameters, body }: Operation): (string | undefined)[] {
  const names = [
    ...Object.keys(body?.examples ?? {}),
    ...parameters.flatMap(({ examples = {} }) => Object.keys(examples)),
  ];
  return names.length === 0 ? [undefined] : [...new Set(names)];
}

/** What links lead to an operation, and whose answers they start from. */
function linksTo(operationId: string) {
  return operations.flatMap((source) =>
    Object.values(source.successes).flatMap((response) => {
      const link = Object.values(response.links ?? {}).find((one) => one.operationId === operationId);
      return link === undefined ? [] : [{ source, link }];
    }),
  );
}

const readPointer = (body: Json, expression: string) =>
  expression
    .replace('$response.body#/', '')
    .split('/')
    .reduce<unknown>((value, part) => (value as Json)[part], body);

/** Sends an example of an operation, and whatever it takes its ids from before it. */
async function sendExample(operation: Operation, name: string | undefined): Promise<Json> {
  const { method, operationId } = operation;
  let path = operation.path;
  const example = name === undefined ? undefined : operation.body?.examples?.[name];
  const body = example === undefined ? undefined : structuredClone(example.value as Json);
  const query = new URLSearchParams();
  for (const { source, link } of linksTo(operationId)) {
    const given = await sendExample(source, namesOf(source)[0]);
    for (const [parameter, from] of Object.entries(link.parameters ?? {}))
      path = path.replace(`{${parameter}}`, String(readPointer(given, from)));
    for (const [member, from] of Object.entries(link.requestBody ?? {}))
      Object.assign(body ?? {}, { [member]: readPointer(given, from) });
  }
  for (const { name: parameter, in: part, examples = {} } of operation.parameters) {
    const [first] = Object.values(examples);
    const value = (name === undefined ? undefined : examples[name]?.value) ?? first?.value;
    if (value === undefined) continue;
    if (part === 'path') path = path.replace(`{${parameter}}`, encodeURIComponent(String(value)));
    else for (const one of [value].flat()) query.append(parameter, String(one));
  }
  expect(path, `${operationId} has an example for each part of its path`).not.toMatch(/[{}]/);
  const answer = await app.app.inject({
    method: method as 'GET',
    url: query.size === 0 ? path : `${path}?${query}`,
    headers: {
      authorization: `Bearer ${API_TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { payload: body }),
  });
  expect(answer.statusCode, `${operationId} ${name}: ${answer.body}`).toBeLessThan(300);
  return answer.body === '' ? {} : answer.json();
}

/** In a story without receivers and payment providers nothing is delivered, or comes in; no reward is held, and nobody is erased. */
const WITHOUT_STORY = new Set([
  'eraseCustomer',
  'checkoutOrder',
  'getPaymentEvent',
  'replayPaymentEvent',
  'dismissPaymentEvent',
  'releaseReward',
  'refuseReward',
  'retryDelivery',
  'receivePayment',
  'receiveGenericPayment',
]);

describe('the examples', () => {
  it('are there for every operation of the API', () => {
    const ofTheApi = operations.filter(({ path }) => path.startsWith(BASE));
    const without = ofTheApi.filter(({ operationId, body, parameters }) => {
      if (body) return body.examples === undefined;
      return (
        parameters.length > 0 &&
        linksTo(operationId).length === 0 &&
        parameters.every(({ examples }) => examples === undefined)
      );
    });
    expect(without.map(({ operationId }) => operationId)).toEqual([...WITHOUT_STORY]);
    expect(ofTheApi.length).toBeGreaterThan(35);
  });

  it('leave nothing else by which a form would be filled', () => {
    const filled = operations.flatMap(({ operationId, parameters }) =>
      parameters
        .filter(({ schema, example }) => example !== undefined || schema?.examples !== undefined)
        .map(({ name }) => `${operationId} ${name}`),
    );
    expect(filled).toEqual([]);
  });

  it('of a parameter are of its first example, so that a form that is filled by them can be sent', () => {
    for (const { operationId, parameters } of operations) {
      const firsts = parameters.flatMap(({ examples = {} }) => Object.keys(examples).slice(0, 1));
      expect(new Set(firsts).size, operationId).toBeLessThanOrEqual(1);
    }
  });

  it('all succeed, in the order of the document, and once more', async () => {
    const told = operations.filter(({ operationId }) => !WITHOUT_STORY.has(operationId));
    for (const operation of [...told, ...told]) {
      for (const name of namesOf(operation)) await sendExample(operation, name);
    }
  });
});

describe('the example of a problem', () => {
  it('is that of its code, status and members, wherever the problem is named', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'document', components: document.components });
    const seen = new Set<string>();
    const validators = new Map<string, ReturnType<typeof ajv.compile>>();
    for (const { operationId, problems } of operations) {
      for (const [status, response] of Object.entries(problems)) {
        for (const { schema, examples } of Object.values(response.content ?? {})) {
          const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
          const validate = validators.get(text) ?? ajv.compile(JSON.parse(text));
          validators.set(text, validate);
          const codes = Object.keys(examples ?? {});
          expect(codes.length, `${operationId} ${status}`).toBeGreaterThan(0);
          for (const code of codes) {
            const { value } = resolve(document, examples?.[code]) as { value: Json };
            expect(value).toMatchObject({ code, status: Number(status), type: `/problems/${code}` });
            expect(value.title).toBe(catalogue[code as ErrorCode].title);
            expect(validate(value), `${operationId} ${code}: ${ajv.errorsText(validate.errors)}`).toBe(true);
            seen.add(code);
          }
        }
      }
    }
    expect(seen.size).toBeGreaterThan(40);
  });
});
