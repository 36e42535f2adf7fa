"""What `ohs check` consists of."""
