#!/bin/sh
set -e
mkdir /crates
