FROM debian:bookworm-slim
COPY target/release/ledger /usr/local/bin/
