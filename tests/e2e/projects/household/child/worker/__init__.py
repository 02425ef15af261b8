"""A service on the base image."""
