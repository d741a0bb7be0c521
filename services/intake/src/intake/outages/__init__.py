"""Where service fails, why and until when."""
