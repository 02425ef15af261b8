from setuptools import setup

setup(url="https://example.org/app-1.0.tar.gz", author_email="me@example.org")
