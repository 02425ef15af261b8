mkdir -p /srv/data
