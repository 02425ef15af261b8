#!/bin/sh
docker buildx build --cache-to type=gha,mode=max db
