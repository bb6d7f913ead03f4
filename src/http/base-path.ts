// Where the API lives. Health, /openapi.json and /docs are outside.

export const BASE_PATH = '/api/v1/billing';
