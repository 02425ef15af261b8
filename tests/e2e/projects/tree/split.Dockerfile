FROM debian:bookworm-slim
ARG MARK=@mark@
RUN --mount=type=cache,id=tree-lists,target=/var/lib/apt/lists,sharing=locked \
    apt-get update
RUN --mount=type=cache,id=tree-lists,target=/var/lib/apt/lists,sharing=locked \
    apt-get install -y --no-install-recommends tree
