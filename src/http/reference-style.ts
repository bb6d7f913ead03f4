// How the API reference looks: a style over that of its page, and its icon.

export const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#14532d"/><path d="M10 6h7.5a5 5 0 0 1 2.6 9.3A5.4 5.4 0 0 1 18 26h-8zm4 3.6v4.2h3a2.1 2.1 0 0 0 0-4.2zm0 7.6v5.2h3.6a2.6 2.6 0 0 0 0-5.2z" fill="#fff"/></svg>
`;

export const STYLE = `.swagger-ui, .swagger-ui .info .title, .swagger-ui .opblock-tag, .swagger-ui .btn {
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
.swagger-ui .wrapper { max-width: 1080px; }
.swagger-ui .info { margin: 28px 0 20px; }
.swagger-ui .info .title { color: #14532d; font-size: 30px; }
.swagger-ui .scheme-container { padding: 12px 0; box-shadow: none; background: none; border-bottom: 1px solid #e2e8e4; }
.swagger-ui .servers-title, .swagger-ui .servers { display: none; }
.swagger-ui .opblock-tag { font-size: 19px; border-bottom-color: #e2e8e4; }
.swagger-ui .opblock { box-shadow: none; border-radius: 6px; }
.swagger-ui .opblock .opblock-summary-method { border-radius: 5px; min-width: 68px; text-shadow: none; }
.swagger-ui .opblock .opblock-summary-path { font-size: 14px; }
.swagger-ui .btn.execute { background: #14532d; border-color: #14532d; }
.swagger-ui .btn.authorize { color: #14532d; border-color: #14532d; }
.swagger-ui .btn.authorize svg { fill: #14532d; }
`;
