FROM rust:1 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target <<EOF
cargo build --release --bin left
echo "built"
EOF

FROM debian:bookworm-slim
COPY --from=build /src/target/release/left /usr/local/bin/
CMD ["left"]
