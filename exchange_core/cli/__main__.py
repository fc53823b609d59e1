"""``python -m exchange_core.cli`` is ``exchange``."""

from exchange_core.cli.main import main

main()
