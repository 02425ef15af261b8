from setuptools import setup

setup(name="quay", version="1")
