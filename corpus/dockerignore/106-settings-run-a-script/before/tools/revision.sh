#!/bin/sh
git describe --tags --always
