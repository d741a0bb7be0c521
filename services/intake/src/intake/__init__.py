"""intake: takes calls and creates orders. The only service that holds subscribers' data."""
