"""
othercrypto.py: import this before `cryptography`.  It belongs to Debian's
python3; where another python3 comes first in PATH and has none, the program
starts again with Debian's.
"""
import importlib.util
import os
import sys

DEBIAN = "/usr/bin/python3"

if importlib.util.find_spec("cryptography") is None and \
        os.path.realpath(sys.executable) != os.path.realpath(DEBIAN):
    os.execv(DEBIAN, [DEBIAN, *sys.argv])
