echo warm > /srv/.cache-stamp
