"""What a phone did without a network, sent later: many acts in one request, each carried out as if sent alone."""
