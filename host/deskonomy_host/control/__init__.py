"""Control of running cities from other processes of the same user."""
