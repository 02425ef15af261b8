FROM rust:1.81.0-slim AS build

WORKDIR /app

COPY Cargo.toml Cargo.lock ./
COPY src src
COPY README.md ./
RUN set -eux; \
    cargo build --locked --release; \
    cp ./target/release/hello_rust /bin/hello_rust

FROM debian:stable-slim AS final
COPY --from=build /bin/hello_rust /bin/hello_rust
ENTRYPOINT ["/bin/hello_rust"]
