"""What `linework up`, `down` and `status` do."""
