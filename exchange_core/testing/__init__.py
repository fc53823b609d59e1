"""Tools for tests, ours and those of plugin authors. Nothing in the package imports them."""
