FROM rust:1 AS build
WORKDIR /src
COPY left.c .
RUN --mount=type=cache,target=/src/out \
    cc -O1 -o out/left left.c

FROM debian:bookworm-slim
COPY --from=build /src/out/left /usr/local/bin/left
CMD ["left"]
