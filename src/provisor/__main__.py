"""``python -m provisor``: the same as ``provisor``."""

from provisor.cli.main import main

main()
