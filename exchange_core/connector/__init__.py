"""What a venue plugin is made of: contracts and pure parts, no I/O."""
