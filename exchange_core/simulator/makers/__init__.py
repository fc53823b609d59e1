"""Seeded market makers, and how their markets move."""
