"""Codemods: one a file. `api` is what they are made of, `registry` is the ordered list of them."""
