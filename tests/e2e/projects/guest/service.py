"""Greet somebody, and count the words of it.

Usage: service.py [NAME]
"""

import getpass
import subprocess

import docopt

name = docopt.docopt(__doc__)["NAME"] or getpass.getuser()
greeting = f"hello, {name}"
counted = subprocess.run(["counter"], input=greeting, capture_output=True, text=True, check=True)
print(greeting, "e1", counted.stdout.strip())
