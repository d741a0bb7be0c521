"""Lists and numbers that operators edit: device types, demand types, rules of the desk."""
