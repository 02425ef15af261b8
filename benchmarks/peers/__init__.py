"""dockfix and the other tools that rewrite Dockerfiles, on the same files, by the same judges. See __main__.py."""
