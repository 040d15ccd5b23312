"""What only a board has."""
