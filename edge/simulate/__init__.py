"""A kiosk without hardware: travellers of a scenario cross it, and what was recorded is counted against who left."""
