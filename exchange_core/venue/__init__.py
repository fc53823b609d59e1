"""One connected venue: market data, trading and account over a plugin's pure parts."""
