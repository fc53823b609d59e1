"""The only folder that talks to venues: one REST client, one feed runner, and what they share."""
