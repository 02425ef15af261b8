#!/bin/sh
# Makes a small picture of every film and every picture below /media.
set -eu
find /media -type f \( -name '*.mp4' -o -name '*.mkv' \) | while read -r film; do
    ffmpeg -nostdin -loglevel error -y -ss 1 -i "$film" -frames:v 1 -vf scale=320:-1 "$film.jpg"
done
find /media -type f -name '*.png' | while read -r picture; do
    convert "$picture" -thumbnail 320x "$picture.jpg"
done
