"""``python -m fashiontui`` is the ``fashiontui`` command."""

from fashiontui.cli import main

main()
