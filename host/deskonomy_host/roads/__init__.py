"""Roads of a host: roads for programs, keys, the network of a host's city, the Merchant School."""
