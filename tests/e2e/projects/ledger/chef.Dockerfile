FROM lukemathwalker/cargo-chef:latest-rust-1 AS chef
WORKDIR /src

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS builder
COPY --from=planner /src/recipe.json recipe.json
# the dependencies, in a layer that only a change of a manifest makes again
RUN cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN cargo build --release --bin report

FROM debian:bookworm-slim AS runtime
COPY --from=builder /src/target/release/report /usr/local/bin/report
WORKDIR /var/lib/ledger
CMD ["report", "ledger.txt"]
