FROM rust:1 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target \
    cargo build --release

FROM build AS checked
RUN ./target/release/left && target/release/right > /seen

FROM debian:bookworm-slim AS collected
COPY --from=checked /seen /seen
COPY --from=checked /src/target/release/right /opt/right

FROM debian:bookworm-slim
COPY --from=collected /opt/right /usr/local/bin/
COPY --from=0 /src/target/release/left /usr/local/bin/left
CMD ["sh", "-c", "left && right"]
