# Image with only the program and its site: no shell, no root user. Builds with `make build`.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,id=caleida-target \
    make build \
    && mkdir -p /image/opt/caleida /image/var/lib/caleida/data \
    && cp -r target/release/caleida target/site /image/opt/caleida/

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image/opt /opt
COPY --from=build --chown=nonroot:nonroot /image/var/lib/caleida /var/lib/caleida
# Contains the master key and, unless DATABASE_URL is set, the database.
WORKDIR /var/lib/caleida
VOLUME /var/lib/caleida/data
ENV CALEIDA_LISTEN=0.0.0.0:3000 CALEIDA_METRICS_LISTEN=0.0.0.0:9464 CALEIDA_LOG_JSON=true
EXPOSE 3000 9464
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["/opt/caleida/caleida", "healthcheck"]
ENTRYPOINT ["/opt/caleida/caleida"]
CMD ["serve"]
