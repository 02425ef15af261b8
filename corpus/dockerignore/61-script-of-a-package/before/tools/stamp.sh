#!/bin/sh
set -e
what=describe
git $what > VERSION
