"""What tests share: commands as a user types them, stand-ins for peers, a browser, the folders of the repository."""
