#!/bin/sh
set -e
install -d /srv/app
echo 'nothing to do with apt' > /srv/app/README
