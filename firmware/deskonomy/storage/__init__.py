"""Cities as bytes, and back."""
