"""The part of the firmware that only a board has: its settings, sensors, Wi-Fi, console, page and storage."""
