FROM rust:1.81.0-slim AS build

WORKDIR /app

COPY . .
RUN cargo build --release

FROM debian:stable-slim AS final
COPY --from=build /app/target/release/hello_rust /bin/hello_rust
ENTRYPOINT ["/bin/hello_rust"]
