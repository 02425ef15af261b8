#!/bin/sh
printf "pier %s" "$(sh tools/revision.sh)"
