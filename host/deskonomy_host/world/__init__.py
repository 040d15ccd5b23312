"""Worlds: plans of cities, world files, and the engines that run the kernel."""
