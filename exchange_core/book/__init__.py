"""Order books: exact integers inside, checked before they are shown."""
