FROM rust:1
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target \
    cargo build --release
CMD ["/src/target/release/left"]
