# The one static binary in an empty image. ./dev image builds it; it runs read-only and with all capabilities dropped:
#
#     docker run --read-only --cap-drop ALL -p 8080:8080 -v ./public:/srv/www:ro rawhttp

FROM debian:12 AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        gcc libbrotli-dev libc6-dev libconfuse-dev libcrypt-dev libdeflate-dev libmd-dev libssl-dev libxxhash-dev libzstd-dev \
        make meson ninja-build pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN meson setup /build /src -Dstatic=true -Dtests=false -Dexamples=false \
    && ninja -C /build rawhttpd \
    && strip /build/rawhttpd

FROM scratch
LABEL org.opencontainers.image.title="rawhttp" \
      org.opencontainers.image.description="An HTTP server from raw TCP: a folder on the web" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /build/rawhttpd /rawhttpd
COPY packaging/www /srv/www
USER 65532:65532
WORKDIR /srv/www
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/rawhttpd", "--health", "http://127.0.0.1:8080/"]
ENTRYPOINT ["/rawhttpd", "--listen", ":8080"]
