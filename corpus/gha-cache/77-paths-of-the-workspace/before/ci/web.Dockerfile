FROM debian:13
COPY . /web
