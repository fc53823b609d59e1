"""The ``exchange`` command."""
