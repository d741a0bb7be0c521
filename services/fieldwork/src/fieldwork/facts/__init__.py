"""What happens in the field and can never conflict: acceptance, contact, arrivals, notes, readings, parts."""
