"""Say who we are."""

import docopt
import six

print("worker e1, docopt", docopt.__version__, "six", six.__version__)
