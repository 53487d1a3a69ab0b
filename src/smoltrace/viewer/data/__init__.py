"""What the screens show, read from a store. No HTTP here: functions that return what JSON can hold."""
