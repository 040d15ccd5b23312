"""The wire protocol: merchants as text, sessions over one connection, and TCP."""
