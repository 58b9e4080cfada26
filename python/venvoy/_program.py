"""The commands `venvoy` and `arcaflow` of an installed package: the program that lies in it."""

import os
import sys
from pathlib import Path
from typing import NoReturn

PROGRAM = Path(__file__).parent / "bin" / "venvoy"


def venvoy() -> NoReturn:
    os.execv(PROGRAM, ["venvoy", *sys.argv[1:]])


def arcaflow() -> NoReturn:
    os.execv(PROGRAM, ["arcaflow", *sys.argv[1:]])
