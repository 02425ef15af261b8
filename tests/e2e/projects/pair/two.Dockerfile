FROM rust:1 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target \
    cargo build --release

FROM debian:bookworm-slim
COPY --from=build /src/target/release/left /src/target/release/right /usr/local/bin/
CMD ["sh", "-c", "left && right"]
