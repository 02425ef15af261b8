cd "$HOME"
rm -r .cache
