FROM rust:1 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target \
    set -eux; \
    cargo --version; \
    cargo build --release --bin right;

FROM debian:bookworm-slim
COPY --from=build /src/target/release/right /usr/local/bin/
CMD ["right"]
