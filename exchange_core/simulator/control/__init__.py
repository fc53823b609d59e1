"""The HTTP interface that changes a simulated exchange while it runs."""
