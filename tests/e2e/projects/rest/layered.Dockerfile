FROM rust:1-slim AS builder
WORKDIR /app
# the dependencies, in a layer of their own
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() { println!("dummy"); }' > src/main.rs && cargo build --release
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/app/target \
    touch src/main.rs && cargo build --release

FROM debian:bookworm-slim
WORKDIR /app
COPY --from=builder /app/target/release/rest api
CMD ["./api"]
