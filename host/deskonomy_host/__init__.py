"""What only a host has: the `deskonomy` command and all that it does."""
