"""What Kraken Spot sends, field by field, with no meaning added."""
