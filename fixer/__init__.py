"""dockfix: Dockerfile rewrites that people can trust."""
