FROM alpine:3.20 AS builder
RUN apk add jq
FROM builder
