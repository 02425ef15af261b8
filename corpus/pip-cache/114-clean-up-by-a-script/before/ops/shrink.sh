#!/bin/sh
set -e
rm -rf /root/.cache /tmp/*
