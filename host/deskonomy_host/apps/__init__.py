"""The programs behind the commands: each puts the other packages together."""
