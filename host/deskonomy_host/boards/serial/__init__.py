"""Serial ports of boards: finding and opening them, the console behind one, and mpremote on one."""
