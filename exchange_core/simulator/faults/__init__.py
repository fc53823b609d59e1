"""What goes wrong between a simulated venue and its clients, and in the venue itself."""
