# All programs of Chainlab in one small image, built from source: docker build -t chainlab .
# Without access to base images, deploy/pack builds on this machine and packs the same image; it reads the lines below.
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN deploy/programs release /image

FROM scratch
COPY --from=build /image/programs/ /usr/local/bin/
COPY --from=build --chown=10001:10001 /image/data/ /data/
# A user that owns nothing else. Chains need a volume on /data; a tracker or an explorer needs none.
USER 10001:10001
WORKDIR /data
# Nothing outside the container can reach 127.0.0.1, so the services listen on all addresses.
ENV CHAINLAB__TRACKER__HOST=0.0.0.0 CHAINLAB__NODE__HOST=0.0.0.0 CHAINLAB__MEMPOOL__HOST=0.0.0.0 \
    CHAINLAB__EXPLORER__HOST=0.0.0.0 CHAINLAB__NODE__DATA_DIR=/data CHAINLAB__MEMPOOL__DATA_DIR=/data
HEALTHCHECK --interval=10s --timeout=10s --start-period=10s CMD ["user", "health", "--running"]
CMD ["user", "--help"]
