"""Start the server, as a worker would."""

import subprocess

import docopt

print(f"docopt {docopt.__version__},", subprocess.check_output(["server"], text=True).strip())
