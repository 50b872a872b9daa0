"""Who is told when something is wrong, how, and until when not."""
