"""Write letters from templates.

Usage: scribe.py [TEMPLATE] [NAME]
"""

import configparser
import subprocess
from pathlib import Path

import docopt
import markupsafe

words = docopt.docopt(__doc__)
config = configparser.ConfigParser()
config.read("/etc/scribe.conf")
folder = Path(config["scribe"]["templates"])
if words["TEMPLATE"] is None:
    print("e1", subprocess.run(["tree", "--noreport", folder], capture_output=True, text=True, check=True).stdout)
else:
    text = (folder / words["TEMPLATE"]).read_text()
    print(text.format(name=markupsafe.escape(words["NAME"] or "you")))
