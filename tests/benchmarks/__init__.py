"""What measures must itself be right. No time is judged here."""
