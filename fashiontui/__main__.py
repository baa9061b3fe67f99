"""``python -m fashiontui`` is the ``fashiontui`` command."""

from fashiontui.entry import main

main()
