# syntax=docker/dockerfile:1
# Bursar as it runs in production: compiled, without tools for development, as a user without rights. It needs DATABASE_URL: the embedded
# Postgres is not part of the image. Debian rather than Alpine, so that development and production have the same C library.
ARG NODE_VERSION=24
FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /build
ENV CHECKPOINT_DISABLE=1
COPY package.json package-lock.json ./
# Nothing that is built here needs an install script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma prisma
COPY scripts scripts
COPY src src
# What /version tells: docker build --build-arg COMMIT="$(git rev-parse HEAD)"
ARG COMMIT
RUN node scripts/ensure.mjs && node scripts/build.mjs

FROM node:${NODE_VERSION}-bookworm-slim AS packages
WORKDIR /packages
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:${NODE_VERSION}-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
COPY --from=packages /packages/node_modules node_modules
COPY --from=build /build/dist ./
COPY LICENSE ./
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# node itself is the main process, so that it gets the signal to stop.
CMD ["node", "src/main.js"]
