"""Say something again."""

import docopt
import six

print(f"six {six.__version__}, docopt {docopt.__version__}")
