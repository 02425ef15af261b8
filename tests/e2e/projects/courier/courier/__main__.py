"""Carry messages.

Usage:
  courier seal SECRET MESSAGE
  courier open SECRET SEALED
  courier about
"""

import docopt
from crcmod import _crcfunext  # the C extension, not its stand-in in Python

from courier import open_seal, put_seal

words = docopt.docopt(__doc__)
if words["about"]:
    print("courier e1", _crcfunext.__name__)
elif words["seal"]:
    print(put_seal(words["MESSAGE"], words["SECRET"]))
else:
    print(open_seal(words["SEALED"], words["SECRET"]))
