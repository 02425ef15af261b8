"""Dockerfiles before and after, built on a real BuildKit engine."""
