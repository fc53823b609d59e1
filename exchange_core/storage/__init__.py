"""What is kept: recordings of real traffic, and playing them back."""
