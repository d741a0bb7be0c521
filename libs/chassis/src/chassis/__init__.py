"""What every service stands on. Technical only: no word of the trade is known here."""
