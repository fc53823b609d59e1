"""All venues as one portfolio in one currency, and the proof that its sums are right."""
